# A typed client whose token has expired, over a line that loses first answers; prints what came of it, one
# "name: value" a line.  usage: lost_answers.py EXPIRED-TOKEN REFRESH-TOKEN
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
from vrm_client import Client, Tokens, VrmError, connection_query

line = connection_query(psycopg.connect())
lost = set()
renewals = []


def query(statement, parameters):
    answer = line(statement, parameters)
    name = parameters[1]
    if name in ("create_agent", "call_history", "sign_in") and "error" not in answer and name not in lost:
        lost.add(name)
        raise ConnectionError(f"no answer to {name}")
    return answer


expired, refresh = sys.argv[1:]
vrm = Client(query, Tokens(expired, refresh), on_tokens=renewals.append)
with ThreadPoolExecutor(2) as threads:
    history, keys = threads.submit(lambda: vrm.call_history(page_size=1)), threads.submit(vrm.list_api_keys)
    print(f"read: {isinstance(history.result(), list)} {isinstance(keys.result(), list)}")
print(f"renewals: {len(renewals)}")
agent = vrm.create_agent(agent_id="lost by Python")
print(f"made once: {type(agent).__name__}")
try:
    vrm.sign_in(email="erin@example.org", password="correct horse battery")
except ConnectionError as error:
    print(f"not sent again: {error}")
try:
    vrm.batch([("create_agent", {"agent_id": "undone"}), ("delete_agent", {"agent_id": history.result()[0]["id"]})])
except VrmError as error:
    print(f"batch: {error.reason} {error.call}")
vrm.use(Tokens(expired))
try:
    vrm.call_history()
except VrmError as error:
    print(f"no renewal: {error.reason}")
