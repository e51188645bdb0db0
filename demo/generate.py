#!/usr/bin/env python3
"""Writes calls.jsonl, the demo's sample calls: one JSON document a line, the same every time.

usage: demo/generate.py >demo/calls.jsonl

A call is put together from the beats in scenes.py, some left out, some lines phrased another way.
A few lines are dirty on purpose, as clients are: the demo shows that they are refused.
"""

import json
import random
import sys

from scenes import CUSTOMERS, SCENES, SLOTS

random.seed(20240229)

# agent: owner, calls, share of calls that fail, that are given up, sentiments of the rest
AGENTS = {
    "appointment-desk": ("ana", 58, 0.05, 0.05, "positive positive positive neutral negative"),
    "refund-line": ("ana", 47, 0.13, 0.06, "positive neutral neutral negative"),
    "broadband-support": ("ana", 39, 0.26, 0.05, "positive neutral negative negative"),
    "card-emergency": ("ben", 44, 0.07, 0.02, "positive positive neutral neutral negative"),
}

FAILURES = [
    "line silent for 30 seconds",
    "fallback prompt three times",
    "voice provider answered 503",
    "nothing recognized for 20 seconds",
]
FALLBACK = "I'm sorry, I didn't understand that. Could you say it again?"

DAY = 24 * 60


class Call:
    """One conversation on its way: who has said what, and when."""

    def __init__(self, agent, sentiment):
        self.agent = agent
        self.sentiment = sentiment
        self.clock = 0.0
        self.turns = []
        self.actions = []
        self.slots = {name: random.choice(values) for name, values in SLOTS.items()}
        # days and times that are offered have to differ
        self.slots["day"], self.slots["day2"], self.slots["day3"] = random.sample(SLOTS["day"], 3)
        self.slots["time"], self.slots["time2"], self.slots["time3"] = random.sample(
            SLOTS["time"], 3)
        self.customer = random.choice(CUSTOMERS)
        self.slots["customer"] = self.customer
        self.slots["first"] = self.customer.split()[0]
        self.slots["number"] = "-".join(str(random.randint(100, 999)) for _ in range(3))
        self.slots["digits"] = " ".join(str(random.randint(0, 9)) for _ in range(4))
        self.slots["euros"] = f"{random.randint(12, 240)}.{random.randint(0, 99):02d}"

    def say(self, speaker, message):
        message = message.format(**self.slots)
        self.turns.append({"speaker": speaker, "message": message, "at": round(self.clock)})
        self.clock += len(message.split()) / 2.6 + random.uniform(0.4, 1.8)

    def play(self, lines):
        """A line starts with A: (agent), C: (customer) or ! (action | how it went)."""
        for line in lines:
            kind, text = line[:2], line[2:].strip()
            if kind == "A:":
                self.say("Agent", text)
            elif kind == "C:":
                self.say("Customer", text)
            else:
                action, _, status = line[1:].partition("|")
                self.actions.append({"action": action.strip().format(**self.slots),
                                     "status": status.strip() or "success",
                                     "at": round(self.clock)})
                self.clock += random.uniform(0.5, 3)

    def insights(self):
        words = {speaker: sum(len(t["message"].split()) for t in self.turns
                              if t["speaker"] == speaker) for speaker in ("Agent", "Customer")}
        share = round(100 * words["Agent"] / max(1, sum(words.values())))
        return [
            {"type": "sentiment", "value": self.sentiment,
             "description": "How the customer sounded towards the end of the call"},
            {"type": "talk share", "value": f"{share} %",
             "description": "Share of the words that were the agent's"},
            {"type": "resolution", "value": "open" if self.sentiment == "negative" else "solved",
             "description": "Whether the customer got what the call was for"},
        ]

    def results(self):
        minutes, seconds = divmod(max(4, round(self.clock)), 60)
        return {"duration": f"{minutes}:{seconds:02d}",
                "customer": self.customer.lower().replace(" ", ".") + "@example.com",
                "sentiment": self.sentiment, "insights": self.insights()}


def beats(call):
    """The scene of the call's agent: beats that are always there, and a choice of the others."""
    scene = SCENES[call.agent]
    while True:
        chosen = []
        for chance, alternatives in scene:
            if random.random() < chance:
                if isinstance(alternatives, dict):
                    alternatives = alternatives[call.sentiment]
                chosen.append(random.choice(alternatives))
        turns = sum(1 for beat in chosen for line in beat if line[0] != "!")
        if 10 <= turns <= 40:
            return chosen


def conversation(agent, status, sentiment):
    call = Call(agent, sentiment)
    scene = beats(call)
    if status in ("failed", "cancelled", "running"):
        scene = scene[:random.randint(2, max(2, len(scene) - 2))]
    if status != "queued":
        for lines in scene:
            call.play(lines)
    return call


def entry(agent, status, sentiment, minutes_ago):
    call = conversation(agent, status, sentiment)
    line = {"user": AGENTS[agent][0], "agent": agent, "status": status,
            "minutes_ago": minutes_ago, "time_limit": 900,
            "turns": call.turns, "actions": call.actions}
    if status == "failed":
        line["error"] = random.choice(FAILURES)
        if "fallback" in line["error"]:
            for _ in range(3):
                call.say("Customer", random.choice(["Hello? Are you there?", "No, that's not it.",
                                                    "I said, can I speak to someone?"]))
                call.say("Agent", FALLBACK)
    elif status == "completed":
        line["results"] = call.results()
    line["seconds"] = max(4, round(call.clock))
    return line


def spoil(line, how):
    """Makes the results of a good call what a careless client might send."""
    results = line["results"]
    if how == "turns without speakers":
        results["transcript"] = [{"message": t["message"], "time": "00:%02d" % min(t["at"], 59)}
                                 for t in line["turns"]]
        line["turns"] = []
    elif how == "a flood":
        results["transcript"] = [{"speaker": "Agent", "message": "...", "time": n // 1999 or ""}
                                 for n in range(2000)]
        line["turns"] = []
    else:
        results.update(how)
    return line


NOW = [
    ("appointment-desk", "running", 3),
    ("card-emergency", "running", 2),
    ("refund-line", "running", 1),
    ("broadband-support", "queued", 0),
    ("refund-line", "queued", 0),
]

DIRT = [
    {"duration": "abc"},
    {"duration": "99:99:99"},
    {"actions": "3"},
    {"actions": -1},
    {"sentiment": "angry"},
    {"customer": 4711},
    {"insights": {"type": "topic", "value": "refund"}},
    "turns without speakers",
    "a flood",
]


def all_calls():
    for agent, (_, calls, failing, given_up, sentiments) in AGENTS.items():
        for _ in range(calls):
            draw = random.random()
            status = ("failed" if draw < failing else
                      "cancelled" if draw < failing + given_up else "completed")
            # working hours of the last 30 days
            when = random.randint(1, 29) * DAY + random.randint(-4 * 60, 4 * 60)
            yield entry(agent, status, random.choice(sentiments.split()), when)
    for agent, status, minutes in NOW:
        yield entry(agent, status, "neutral", minutes)
    for number, how in enumerate(DIRT):
        agent = list(AGENTS)[number % 3]
        yield spoil(entry(agent, "completed", "neutral", (2 + 3 * number) * DAY), how)


def main():
    calls = sorted(all_calls(), key=lambda call: -call["minutes_ago"])
    lines = [json.dumps(call, ensure_ascii=False) for call in calls]
    # two lines that are no JSON for PostgreSQL: cut off on the way, and with a NUL in a text
    lines.insert(90, lines[89][:700])
    lines.insert(140, lines[139].replace('"message": "', '"message": "\\u0000', 1))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
