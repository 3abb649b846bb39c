"""Signing in, tokens and keys."""

from backend.auth import passwords
from tests.factories import COUNTY


async def test_a_key_reads_and_stops_the_moment_it_is_revoked(make):
    partner, admin = await make.partner(), await make.admin()

    before = await partner.client.get("/api/v1/auth/me")
    await admin.client.delete(f"/api/v1/api-keys/{partner.account_id}")
    after = await partner.client.get("/api/v1/auth/me")

    assert before.status_code == 200
    assert before.json()["county_code"] == COUNTY
    assert after.status_code == 401


async def test_signing_in_gives_tokens_that_work(make):
    worker = await make.worker()
    hashed = passwords.hash_password("对的密码")
    async with make.database.bare() as conn:
        await conn.execute("UPDATE account SET username = 'zhangmin', password_hash = $1 WHERE id = $2", hashed, worker.account_id)
    stranger = make.client()

    wrong = await stranger.post("/api/v1/auth/token", data={"username": "zhangmin", "password": "错的"})
    right = await stranger.post("/api/v1/auth/token", data={"username": "zhangmin", "password": "对的密码"})
    me = await stranger.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {right.json()['access_token']}"})

    assert wrong.status_code == 401
    assert wrong.json()["code"] == "wrong_password"
    assert me.json()["display_name"] == "张敏"
