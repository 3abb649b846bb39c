"""Rounds: whom to see today, by which rules, under which warnings."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query

from backend.auth.deps import AppKeys, CurrentCoordinator, CurrentReader, CurrentWorker, Tx
from backend.core.route import TxRoute
from backend.rounds import service as rounds
from shared.rounds import AlertIn, AlertOut, RoundOut, RoundRuleIn, RoundRuleOut, RoundTryIn, TriedOut
from shared.types import AreaCode

router = APIRouter(prefix="/api/v1", tags=["走访安排"], route_class=TxRoute)


@router.get("/rounds/today")
async def todays_round(
    worker: CurrentWorker,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="社区或网格编码，默认自己的")] = None,
) -> RoundOut:
    """看今天要走的户：到期的走访和生效规则找到的，急的在前，各有理由。手机没有网络时自己算出一样的结果。"""
    return await rounds.today(tx, worker, area_code)


@router.get("/round-rules")
async def list_rules(_reader: CurrentReader, tx: Tx) -> list[RoundRuleOut]:
    """列出全县的走访规则，草稿也在内。"""
    return await rounds.rules(tx)


@router.post("/round-rules/try")
async def try_rule(body: RoundTryIn, coordinator: CurrentCoordinator, tx: Tx) -> TriedOut:
    """试一条规则：在现在的台账上会找到几户，前 50 户是哪些。试过的内容才能生效。"""
    return await rounds.try_out(tx, coordinator, body)


@router.put("/round-rules/{rule_id}")
async def put_rule(rule_id: UUID, body: RoundRuleIn, coordinator: CurrentCoordinator, tx: Tx) -> RoundRuleOut:
    """写下或修改一条规则。要生效，先照原样试过。"""
    return await rounds.put_rule(tx, coordinator, rule_id, body)


@router.get("/alerts")
async def list_alerts(_reader: CurrentReader, tx: Tx) -> list[AlertOut]:
    """列出正在生效和将要生效的预警。"""
    return await rounds.alerts(tx)


@router.post("/alerts", status_code=201)
async def post_alert(
    body: AlertIn, coordinator: CurrentCoordinator, tx: Tx, keys: AppKeys,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, description="同一个键、同样的内容，只会发一次")
    ] = None,
) -> AlertOut:  # fmt: skip
    """给一个区域发预警，相应的规则从第一天起找出要看的户。"""
    return await rounds.warn(tx, keys, coordinator, idempotency_key, body)


@router.post("/alerts/{alert_id}/end")
async def end_alert(alert_id: UUID, coordinator: CurrentCoordinator, tx: Tx) -> AlertOut:
    """提前结束一次预警，到今天为止。"""
    return await rounds.end(tx, coordinator, alert_id)
