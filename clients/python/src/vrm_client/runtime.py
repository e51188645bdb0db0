"""Calls functions of vrm, each in one statement: vrm.rpc() with the token and the arguments as
parameters.  Renews the token when it has expired, and sends a call again that may have got lost:
what only reads as it is, what adds something with a key, so that it happens once.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, final

Json = Any
Uuid = str
Timestamp = str
"""ISO 8601 with a time zone, or a day"""
Seconds = float
"""a duration"""
Trait = Literal["reads", "once", "plain"]
"""reads: changes nothing; once: may come with a key; plain: is sent once"""

Query = Callable[[str, Sequence[str | None]], Mapping[str, Any]]
"""Runs one statement with %s for each parameter and gives the one value of its row."""


@final
class Unset:
    """An argument that is left out, so that the database's default holds."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


class VrmError(Exception):
    """What went wrong; `reason` is what a program looks at."""

    def __init__(self, failure: Mapping[str, Any]) -> None:
        super().__init__(failure["message"])
        self.code: str = failure["code"]
        self.reason: str = failure["reason"]
        self.detail: str | None = failure.get("detail")
        self.hint: str | None = failure.get("hint")
        self.call: int | None = failure.get("call")
        """which call of a batch, from 0"""


@dataclass(frozen=True)
class Tokens:
    access_token: str
    refresh_token: str | None = None


def _tokens_of(result: Any) -> Tokens | None:
    if not isinstance(result, dict) or result.get("status") != "ok" or not result.get("access_token"):
        return None
    return Tokens(result["access_token"], result.get("refresh_token"))


_SIGNS_IN: Final = frozenset({"sign_in", "sign_in_mfa", "session_refresh", "session_step_up"})
_CALL: Final = "SELECT vrm.rpc(%s, %s, %s::jsonb, %s)"
_BATCH: Final = "SELECT vrm.rpc_batch(%s, %s::jsonb)"


class Caller:
    """What a client has besides the functions of the database; safe to share among threads."""

    _traits: Mapping[str, Trait] = {}

    def __init__(
        self,
        query: Query,
        tokens: Tokens | None = None,
        on_tokens: Callable[[Tokens | None], None] | None = None,
        attempts: int = 3,
    ) -> None:
        self._query = query
        self._tokens = tokens
        self._on_tokens = on_tokens
        self._attempts = attempts
        self._renewal = threading.Lock()

    @property
    def tokens(self) -> Tokens | None:
        """The tokens of now."""
        return self._tokens

    def use(self, tokens: Tokens | None) -> None:
        """Goes on as somebody else, or as nobody."""
        self._tokens = tokens
        if self._on_tokens:
            self._on_tokens(tokens)

    def batch(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
        """Several calls in one statement and one transaction: all of them or, when one fails, none."""
        listed: list[dict[str, Any]] = []
        for name, given in calls:
            key = self._key_for(name)
            listed.append({"function": name, "arguments": given} | ({"key": key} if key else {}))
        repeatable = all("key" in call or self._traits.get(call["function"]) == "reads" for call in listed)
        document = json.dumps(listed)
        result: list[Any] = self._send(repeatable, _BATCH, lambda token: [token, document])
        return result

    def _call(self, name: str, given: Mapping[str, Any]) -> Any:
        key = self._key_for(name)
        document = json.dumps({k: v for k, v in given.items() if not isinstance(v, Unset)})
        repeatable = key is not None or self._traits[name] == "reads"
        result = self._send(repeatable, _CALL, lambda token: [token, name, document, key])
        before = self._tokens
        tokens = _tokens_of(result) if name in _SIGNS_IN else None
        if tokens:
            earlier = before.refresh_token if before else None
            self.use(Tokens(tokens.access_token, tokens.refresh_token or earlier))
        if name == "session_act_as" and before and isinstance(result, str):
            self.use(Tokens(result, before.refresh_token))
        return result

    def _key_for(self, name: str) -> str | None:
        """Keys belong to who has signed in."""
        return str(uuid.uuid4()) if self._tokens and self._traits.get(name) == "once" else None

    def _send(
        self, repeatable: bool, statement: str, parameters: Callable[[str | None], Sequence[str | None]]
    ) -> Any:
        """A failed call has not happened and may be sent again; of one without an answer nobody knows."""
        attempt = 0
        renewed = False
        while True:
            attempt += 1
            tokens = self._tokens
            try:
                answer = self._query(statement, parameters(tokens.access_token if tokens else None))
            except Exception:
                if not repeatable or attempt >= self._attempts:
                    raise
                time.sleep(2**attempt * 0.05 * random.random())
                continue
            failure = answer.get("error")
            if not failure:
                return answer.get("result")
            if failure["reason"] == "token_expired" and tokens and tokens.refresh_token and not renewed:
                renewed = True
                self._renew(tokens, failure)
            elif failure["reason"] == "try_again" and attempt < self._attempts:
                time.sleep(2**attempt * 0.05 * random.random())
            else:
                raise VrmError(failure)

    def _renew(self, expired: Tokens, failure: Mapping[str, Any]) -> None:
        """One renewal for all threads that wait for it."""
        with self._renewal:
            if self._tokens != expired:
                return
            given = json.dumps({"refresh_token": expired.refresh_token})
            answer = self._query(_CALL, [None, "session_refresh", given, None])
            if answer.get("error"):
                raise VrmError(answer["error"])
            tokens = _tokens_of(answer.get("result"))
            self.use(tokens)
            if not tokens:
                raise VrmError(failure)


class _Cursor(Protocol):
    def execute(self, query: Any, params: Any = ..., /) -> Any: ...
    def fetchone(self) -> Any: ...


class _Connection(Protocol):
    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...


def connection_query(connection: _Connection) -> Query:
    """Through a connection of psycopg 3 or psycopg2, one thread at a time; each call is a transaction."""
    lock = threading.Lock()

    def query(statement: str, parameters: Sequence[str | None]) -> Mapping[str, Any]:
        with lock:
            try:
                with connection.cursor() as cursor:
                    found: _Cursor = cursor
                    found.execute(statement, parameters)
                    answer: Mapping[str, Any] = found.fetchone()[0]
                connection.commit()
                return answer
            except BaseException:
                connection.rollback()
                raise

    return query
