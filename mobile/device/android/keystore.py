"""The phone's sealing key, wrapped by a key that never leaves the phone's own key store."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobile.device.android.java import Java, thrown
from mobile.device.private_file import write_private
from mobile.store.sealing import KEY_BYTES

log = logging.getLogger(__name__)

PROVIDER, ALIAS = "AndroidKeyStore", "gridhood-wrap-1"
TRANSFORMATION, TAG_BITS, IV_BYTES = "AES/GCM/NoPadding", 128, 12
# What says for certain that the old key will never open anything again. Other failures may pass: nothing is thrown
# away for them.
LOST = {"KeyPermanentlyInvalidatedException", "AEADBadTagException"}

WrappingKey = Callable[[Java, bool], Any]
"""(java, make): the key that wraps, or None when there is none and none is to be made."""


class KeyLost(Exception):
    """The wrapped key is here and what would open it is not, as on a phone restored from another one's backup."""


class AndroidKeystore:
    def __init__(self, path: Path, java: Java, wrapping_key: WrappingKey) -> None:
        self._path, self._java, self._wrapping_key = path, java, wrapping_key

    def key(self) -> bytes:
        try:
            return self._unwrap(self._path.read_bytes()) if self._path.exists() else self._make()
        except KeyLost:
            log.warning("the sealing key is lost, a new one is made")
            self._path.replace(self._path.with_suffix(".lost"))
            return self._make()

    def _make(self) -> bytes:
        key = os.urandom(KEY_BYTES)
        cipher = self._cipher()
        cipher.init(cipher.ENCRYPT_MODE, self._java.cast("java.security.Key", self._wrapping_key(self._java, True)))
        # The key store insists on choosing the IV itself, so it is read and not given.
        wrapped = bytes(cipher.doFinal(key))
        write_private(self._path, bytes(cipher.getIV()) + wrapped)
        return key

    def _unwrap(self, kept: bytes) -> bytes:
        wrapping = self._wrapping_key(self._java, False)
        if wrapping is None:
            raise KeyLost
        try:
            return self._opened(kept, wrapping)
        except Exception as problem:
            if thrown(problem) in LOST:
                raise KeyLost from problem
            raise

    def _opened(self, kept: bytes, wrapping: Any) -> bytes:
        cipher = self._cipher()
        how = self._java.cls("javax.crypto.spec.GCMParameterSpec")(TAG_BITS, kept[:IV_BYTES])
        cipher.init(
            cipher.DECRYPT_MODE,
            self._java.cast("java.security.Key", wrapping),
            self._java.cast("java.security.spec.AlgorithmParameterSpec", how),
        )
        return bytes(cipher.doFinal(kept[IV_BYTES:]))

    def _cipher(self) -> Any:
        return self._java.cls("javax.crypto.Cipher").getInstance(TRANSFORMATION)


def hardware_key(java: Java, make: bool) -> Any:
    """The wrapping key in Android's key store. It cannot be read out, only used, and only on this phone."""
    store = java.cls("java.security.KeyStore").getInstance(PROVIDER)
    store.load(None)
    if not store.containsAlias(ALIAS):
        return _generate(java) if make else None
    return store.getKey(ALIAS, None)


def _generate(java: Java) -> Any:
    properties = java.cls("android.security.keystore.KeyProperties")
    builder = java.cls("android.security.keystore.KeyGenParameterSpec$Builder")(
        ALIAS, properties.PURPOSE_ENCRYPT | properties.PURPOSE_DECRYPT
    )
    builder.setBlockModes(properties.BLOCK_MODE_GCM)
    builder.setEncryptionPaddings(properties.ENCRYPTION_PADDING_NONE)
    builder.setKeySize(256)
    builder.setRandomizedEncryptionRequired(True)
    generator = java.cls("javax.crypto.KeyGenerator").getInstance(properties.KEY_ALGORITHM_AES, PROVIDER)
    generator.init(java.cast("java.security.spec.AlgorithmParameterSpec", builder.build()))
    return generator.generateKey()
