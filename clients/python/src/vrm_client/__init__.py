"""A typed client of vrm: functions of the database as methods, through whatever driver there is."""

from .functions import *  # noqa: F403
from .functions import Client as Client
from .runtime import UNSET as UNSET
from .runtime import Query as Query
from .runtime import Tokens as Tokens
from .runtime import VrmError as VrmError
from .runtime import connection_query as connection_query
