#!/usr/bin/env python3
"""Opens values that vrm has sealed, without vrm and without PostgreSQL.

Needs python3-cryptography, the master key file, and the keyring as
    psql -XAt -c "SELECT key_id, purpose, kek_id, encode(wrapped, 'hex') FROM vrm_private.keyring"
prints it.  doc/secrets/secrets.md describes the envelope; this program shares no code with the extension.

  open_sealed.py MASTER KEYRING ENVELOPE [options]     prints the plaintext of an envelope in hex
  open_sealed.py MASTER KEYRING --seal KEY_ID [...]    seals standard input, prints hex

  --context HEX         what the value was sealed with
  --column UUID         id of its column (vrm_private.sealed_columns), followed by
  --key TYPE:VALUE ...  its primary key, TYPE uuid, int or text
  --salt HEX            salt of its subject (vrm_private.subject_keys)
"""
import argparse
import base64
import hashlib
import os
import sys
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.kbkdf import CounterLocation, KBKDFCMAC, Mode


def xaes(key, nonce):
    """AES-256-GCM under the subkey of the nonce's first half, as c2sp.org/XAES-256-GCM says."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    left = int.from_bytes(block.update(bytes(16)), "big") << 1
    mask = (left & (1 << 128) - 1) ^ (0x87 if left >> 128 else 0)
    subkey = b""
    for counter in (1, 2):
        message = bytes([0, counter]) + b"X\0" + nonce[:12]
        subkey += block.update((int.from_bytes(message, "big") ^ mask).to_bytes(16, "big"))
    return AESGCM(subkey), nonce[12:]


def key_id_of(key):
    digest = hashlib.sha256(b"vrm/key-id/v1" + key).digest()
    return int.from_bytes(digest[:8], "big") & (1 << 63) - 1


def read_masters(path):
    masters = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, _, key = line.strip().partition(":")
                masters[name] = base64.b64decode(key, validate=True)
    return masters


def unwrap(masters, keyring_path, wanted):
    with open(keyring_path, encoding="ascii") as lines:
        for line in lines:
            key_id, purpose, master, wrapped = line.strip().split("|")
            if int(key_id) != wanted or not wrapped:
                continue
            context = (b"vrm/keyring/v1" + wanted.to_bytes(8, "big") + purpose.encode() + b"\0"
                       + master.encode())
            wrapped = bytes.fromhex(wrapped)
            gcm, nonce = xaes(masters[master], wrapped[:24])
            key = gcm.decrypt(nonce, wrapped[24:], context)
            if key_id_of(key) != wanted:
                raise ValueError("the keyring has another key under this id")
            return key
    raise ValueError(f"the keyring has no key {wanted}")


def derive(key, salt):
    return KBKDFCMAC(algorithm=algorithms.AES, mode=Mode.CounterMode, length=32, rlen=4, llen=4,
                     location=CounterLocation.BeforeFixed, label=b"vrm/subject/v1", context=salt,
                     fixed=None).derive(key)


def row_context(column, key):
    context = uuid.UUID(column).bytes
    for part in key:
        kind, _, value = part.partition(":")
        if kind == "uuid":
            context += b"\1" + uuid.UUID(value).bytes
        elif kind == "int":
            context += b"\2" + int(value).to_bytes(8, "big", signed=True)
        elif kind == "text":
            context += b"\3" + len(value.encode()).to_bytes(4, "big") + value.encode()
        else:
            raise ValueError(f"unknown type {kind}")
    return context


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("master")
    parser.add_argument("keyring")
    parser.add_argument("envelope", nargs="?")
    parser.add_argument("--seal", type=int)
    parser.add_argument("--context", default="", type=bytes.fromhex)
    parser.add_argument("--column")
    parser.add_argument("--key", nargs="*", default=[])
    parser.add_argument("--salt", type=bytes.fromhex)
    options = parser.parse_args()
    context = row_context(options.column, options.key) if options.column else options.context
    masters = read_masters(options.master)

    if options.seal:
        binding = 1 if options.column else 2 if context else 0
        header = bytes([0xF9, 1, binding, 1 if options.salt else 0]) + options.seal.to_bytes(8, "big")
        key = unwrap(masters, options.keyring, options.seal)
        nonce = os.urandom(24)
        gcm, rest = xaes(derive(key, options.salt) if options.salt else key, nonce)
        sealed = gcm.encrypt(rest, sys.stdin.buffer.read(), header + context)
        print((header + nonce + sealed).hex())
        return

    envelope = bytes.fromhex(options.envelope)
    header = envelope[:12]
    if header[0] != 0xF9 or header[1] not in (1, 2) or header[2] > 2 or header[3] > 1:
        raise ValueError("not an envelope")
    key = unwrap(masters, options.keyring, int.from_bytes(header[4:], "big"))
    if header[3]:
        key = derive(key, options.salt)
    if header[1] == 1:
        gcm, nonce = xaes(key, envelope[12:36])
        sealed = envelope[36:]
    else:
        gcm, nonce, sealed = AESGCM(key), envelope[12:24], envelope[24:]
    sys.stdout.buffer.write(gcm.decrypt(nonce, sealed, header + context))


if __name__ == "__main__":
    try:
        main()
    except InvalidTag:
        sys.exit("the value does not open")
    except (KeyError, OSError, TypeError, ValueError) as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")
