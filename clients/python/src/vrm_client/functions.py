"""What applications call of vrm, made of its catalog by tools/clients.pl: do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict

from .runtime import UNSET, Caller, Json, Seconds, Timestamp, Unset, Uuid

CallDirection = Literal["inbound", "outbound"]
RunStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
Sentiment = Literal["positive", "neutral", "negative"]
SignInStatus = Literal["ok", "mfa_required", "invalid", "locked", "throttled", "unavailable"]
UserRole = Literal["user", "manager", "admin"]


class AgentDiffRow(TypedDict):
    place: str | None
    before: Json | None
    after: Json | None


class AgentFindingsRow(TypedDict):
    agent_id: Uuid | None
    agent: str | None
    measure: str | None
    value: float | None
    allowed: float | None
    calls: int | None
    since: Timestamp | None


class AgentPerformanceRow(TypedDict):
    agent_id: Uuid | None
    agent: str | None
    calls: int | None
    completed: int | None
    failed: int | None
    success_rate: float | None
    average_duration: Seconds | None
    p50_duration: Seconds | None
    p95_duration: Seconds | None
    positive_share: float | None
    actions: int | None
    customers: int | None
    bad: int | None
    p50_answer_time: Seconds | None
    p95_answer_time: Seconds | None
    interruptions: float | None
    talk_share: float | None
    transfer_rate: float | None
    containment_rate: float | None
    cost: float | None
    currency: str | None
    tool_success_rate: float | None


class CallHistoryRow(TypedDict):
    id: Uuid | None
    agent: str | None
    status: str | None
    started_at: Timestamp | None
    duration: Seconds | None
    customer: str | None
    sentiment: Sentiment | None
    actions: int | None
    error: str | None
    next_cursor: str | None
    excerpt: str | None
    agent_version: int | None


class CallSeriesRow(TypedDict):
    bucket_since: Timestamp | None
    bucket_until: Timestamp | None
    calls: int | None
    completed: int | None
    failed: int | None
    cancelled: int | None
    success_rate: float | None
    average_duration: Seconds | None
    p50_duration: Seconds | None
    p95_duration: Seconds | None
    positive: int | None
    neutral: int | None
    negative: int | None
    customers: int | None
    p50_answer_time: Seconds | None
    p95_answer_time: Seconds | None
    interruptions: float | None
    talk_share: float | None
    transfer_rate: float | None
    containment_rate: float | None
    cost: float | None
    currency: str | None
    tool_success_rate: float | None


class CallSummaryRow(TypedDict):
    period: str | None
    period_since: Timestamp | None
    period_until: Timestamp | None
    calls: int | None
    queued: int | None
    running: int | None
    completed: int | None
    failed: int | None
    cancelled: int | None
    success_rate: float | None
    average_duration: Seconds | None
    stddev_duration: Seconds | None
    p50_duration: Seconds | None
    p95_duration: Seconds | None
    p99_duration: Seconds | None
    max_duration: Seconds | None
    positive: int | None
    neutral: int | None
    negative: int | None
    actions: int | None
    customers: int | None
    bad: int | None
    p50_answer_time: Seconds | None
    p95_answer_time: Seconds | None
    interruptions: float | None
    talk_share: float | None
    transfer_rate: float | None
    containment_rate: float | None
    cost: float | None
    currency: str | None
    tool_success_rate: float | None


class ClaimTestRunRow(TypedDict):
    run_id: Uuid | None
    suite_run: Uuid | None
    agent_id: Uuid | None
    agent_version: int | None
    connection_details: Json | None
    case_id: Uuid | None
    case_name: str | None
    persona: Json | None
    scenario: Json | None
    metrics: Json | None
    repeat: int | None
    attempt: int | None
    lease_until: Timestamp | None


class CompareSuiteRunsRow(TypedDict):
    case_id: Uuid | None
    case_name: str | None
    verdict: str | None
    runs_a: int | None
    passed_a: int | None
    runs_b: int | None
    passed_b: int | None
    p_value: float | None
    adjusted_p: float | None
    repeats_needed: int | None
    latency: str | None
    latency_a: float | None
    latency_b: float | None
    scores: str | None
    score_a: float | None
    score_b: float | None


class CompareVersionsInAllRow(TypedDict):
    verdict: str | None
    pairs: int | None
    only_a: int | None
    only_b: int | None
    p_value: float | None


class CompareVersionsRow(TypedDict):
    case_id: Uuid | None
    case_name: str | None
    verdict: str | None
    runs_a: int | None
    passed_a: int | None
    runs_b: int | None
    passed_b: int | None
    p_value: float | None
    adjusted_p: float | None
    repeats_needed: int | None
    latency: str | None
    latency_a: float | None
    latency_b: float | None
    scores: str | None
    score_a: float | None
    score_b: float | None


class ExportUserDataRow(TypedDict):
    relation: str | None
    pk: Json | None
    data: Json | None


class FailureReasonsRow(TypedDict):
    reason: str | None
    calls: int | None
    share: float | None
    agents: int | None
    last_at: Timestamp | None


class FollowEventsRow(TypedDict):
    event_id: Uuid | None
    run_id: Uuid | None
    status: RunStatus | None
    at: Timestamp | None
    next_cursor: str | None


class InvitationsRow(TypedDict):
    id: Uuid | None
    email: str | None
    role: str | None
    invited_by: str | None
    created_at: Timestamp | None
    expires_at: Timestamp | None


class JudgeAgreementRow(TypedDict):
    metric_id: Uuid | None
    metric: str | None
    judges: list[str] | None
    calls: int | None
    cohen_kappa: float | None
    krippendorff_alpha: float | None
    score_alpha: float | None


class LinkedIdentitiesRow(TypedDict):
    issuer: str | None
    subject: str | None
    linked_at: Timestamp | None


class ListApiKeysRow(TypedDict):
    service: str | None
    hint: str | None
    description: str | None
    created_at: Timestamp | None
    last_used_at: Timestamp | None


class LiveCallsRow(TypedDict):
    id: Uuid | None
    agent_id: Uuid | None
    agent: str | None
    status: str | None
    started_at: Timestamp | None
    elapsed: Seconds | None
    turns: int | None
    last_message: str | None


class MemberActivityRow(TypedDict):
    at: Timestamp | None
    member_id: Uuid | None
    email: str | None
    action: str | None
    relation: str | None
    old: Json | None
    new: Json | None
    detail: Json | None


class MembersRow(TypedDict):
    member_id: Uuid | None
    email: str | None
    full_name: str | None
    role: str | None
    joined_at: Timestamp | None
    last_login: Timestamp | None


class MetricSummaryRow(TypedDict):
    results: int | None
    mean: float | None
    stddev: float | None
    lowest: float | None
    median: float | None
    highest: float | None
    pass_rate: float | None
    distribution: Json | None
    trend_per_day: float | None


class MfaEnrolRow(TypedDict):
    factor_id: Uuid | None
    secret: str | None
    otpauth_uri: str | None


class OrganisationsRow(TypedDict):
    organisation_id: Uuid | None
    name: str | None
    role: str | None
    joined_at: Timestamp | None
    acted_for: bool | None


class SearchCallsRow(TypedDict):
    id: Uuid | None
    agent: str | None
    status: str | None
    started_at: Timestamp | None
    duration: Seconds | None
    customer: str | None
    sentiment: Sentiment | None
    actions: int | None
    error: str | None
    next_cursor: str | None
    excerpt: str | None
    agent_version: int | None


class SignInResult(TypedDict):
    status: SignInStatus | None
    user_id: Uuid | None
    session_id: Uuid | None
    access_token: str | None
    refresh_token: str | None
    device_token: str | None
    mfa_ticket: str | None
    retry_after: Seconds | None


class StatisticsBetweenRow(TypedDict):
    bucket: int | None
    agent_id: Uuid | None
    stats: Json | None


class StatisticsByAgentRow(TypedDict):
    agent_id: Uuid | None
    stats: Json | None


class StatisticsByBucketRow(TypedDict):
    bucket: int | None
    stats: Json | None


class SuiteGateRow(TypedDict):
    passed: bool | None
    reason: str | None


class SuiteReportRow(TypedDict):
    case_id: Uuid | None
    case_name: str | None
    runs: int | None
    passed: int | None
    undecided: int | None
    waiting: int | None
    pass_rate: float | None
    lower: float | None
    upper: float | None
    tries: int | None
    pass_at_k: float | None
    pass_hat_k: float | None
    flaky: bool | None
    score: float | None
    duration: Seconds | None
    answering_time: float | None
    failures: Json | None


class UserDashboardRow(TypedDict):
    agents: int | None
    calls: int | None
    live: int | None
    completed: int | None
    failed: int | None
    cancelled: int | None
    success_rate: float | None
    average_duration: Seconds | None
    p95_duration: Seconds | None
    customers: int | None
    last_call_at: Timestamp | None
    recent_calls: Json | None


class VersionMatrixRow(TypedDict):
    case_id: Uuid | None
    case_name: str | None
    version: int | None
    runs: int | None
    passed: int | None
    pass_rate: float | None


class Client(Caller):
    """Functions of the database."""

    _traits = {
        "accept": "once",
        "account_problem": "reads",
        "act_as": "plain",
        "actor": "reads",
        "agent_diff": "reads",
        "agent_findings": "reads",
        "agent_performance": "reads",
        "amend_test_run": "once",
        "append_transcript": "once",
        "append_turns": "once",
        "begin_test_run": "once",
        "call_history": "reads",
        "call_series": "reads",
        "call_statistics": "reads",
        "call_summary": "reads",
        "cancel_suite": "once",
        "cancel_test_run": "once",
        "change_email": "plain",
        "change_password": "plain",
        "claim_test_run": "plain",
        "compare_suite_runs": "reads",
        "compare_versions": "reads",
        "compare_versions_in_all": "reads",
        "complete_test_run": "once",
        "confirm_email_change": "once",
        "confirm_sign_up": "plain",
        "consume_password_reset": "plain",
        "count_cached_result": "once",
        "create_agent": "once",
        "create_organisation": "once",
        "dashboard": "plain",
        "delete_account": "once",
        "delete_agent": "once",
        "delete_api_key": "once",
        "delete_test_run": "once",
        "erase_customer": "once",
        "erase_user": "once",
        "export_customer": "plain",
        "export_user_data": "plain",
        "extend_lease": "plain",
        "fail_test_run": "once",
        "failure_reasons": "reads",
        "follow_events": "reads",
        "forget_cached_results": "once",
        "hand_over_agent": "once",
        "import_call": "once",
        "invitations": "reads",
        "invite": "plain",
        "judge_agreement": "reads",
        "jwks": "reads",
        "leave": "once",
        "link_identity": "once",
        "linked_identities": "reads",
        "list_api_keys": "reads",
        "live_calls": "reads",
        "lock_account": "once",
        "log": "once",
        "make_test_case": "once",
        "may_act": "reads",
        "may_write": "reads",
        "member_activity": "reads",
        "members": "reads",
        "metric_summary": "reads",
        "mfa_confirm": "once",
        "mfa_disable": "once",
        "mfa_enrol": "plain",
        "mfa_recovery_codes": "plain",
        "organisations": "reads",
        "record_action": "once",
        "record_metric_result": "once",
        "record_verdict": "once",
        "recording_key": "reads",
        "recover_account": "once",
        "recover_own_account": "plain",
        "register_recording": "once",
        "remove_member": "once",
        "replace_api_key": "plain",
        "request_account_recovery": "once",
        "request_password_reset": "once",
        "restore_agent_version": "once",
        "revoke_invitation": "once",
        "search_calls": "reads",
        "session_act_as": "plain",
        "session_refresh": "plain",
        "session_revoke": "once",
        "session_revoke_all": "once",
        "session_step_up": "plain",
        "set_member_role": "once",
        "set_search_config": "once",
        "set_user_role": "once",
        "sign_in": "plain",
        "sign_in_mfa": "plain",
        "sign_up": "plain",
        "start_suite": "once",
        "start_test_run": "once",
        "statistics_between": "reads",
        "statistics_by_agent": "reads",
        "statistics_by_bucket": "reads",
        "store_api_key": "plain",
        "suite_gate": "reads",
        "suite_junit": "reads",
        "suite_report": "reads",
        "team_role": "reads",
        "unlink_identity": "once",
        "unlock_account": "once",
        "user_dashboard": "reads",
        "verify_password_reset": "reads",
        "version": "reads",
        "version_matrix": "reads",
    }

    def accept(
        self,
        *,
        token: str,
    ) -> Uuid:
        """makes the person who calls a member, with the token of an invitation to their address; returns the organisation"""
        result: Uuid = self._call("accept", {"token": token})
        return result

    def account_problem(self) -> str | None:
        """why the caller may not act now: locked, deleted, anonymous, no member any more ...; null when all is well"""
        result: str | None = self._call("account_problem", {})
        return result

    def act_as(
        self,
        *,
        organisation: Uuid,
    ) -> str:
        """acts for an organisation of the caller's until the transaction ends, by NULL for themselves; returns the role"""
        result: str = self._call("act_as", {"organisation": organisation})
        return result

    def actor(self) -> Uuid:
        """person who has signed in, also while they act for an organisation; NULL for nobody and after expiry"""
        result: Uuid = self._call("actor", {})
        return result

    def agent_diff(
        self,
        *,
        agent_id: Uuid,
        a: int,
        b: int,
    ) -> list[AgentDiffRow]:
        """what differs between two versions of one of the caller's agents: JSON pointer, before and after"""
        result: list[AgentDiffRow] = self._call("agent_diff", {"agent_id": agent_id, "a": a, "b": b})
        return result

    def agent_findings(self) -> list[AgentFindingsRow]:
        """what of the caller's agents is beyond its threshold now; since is when vrm.maintain() first saw it, or now"""
        result: list[AgentFindingsRow] = self._call("agent_findings", {})
        return result

    def agent_performance(
        self,
        *,
        since: Timestamp,
        until: Timestamp,
    ) -> list[AgentPerformanceRow]:
        """the caller's agents over a time: calls, success, length, sentiment"""
        result: list[AgentPerformanceRow] = self._call("agent_performance", {"since": since, "until": until})
        return result

    def amend_test_run(
        self,
        *,
        run_id: Uuid,
        results: Json,
    ) -> None:
        """merges what is said later of a call of the caller, live or archived: sentiment, insights, metrics, turns"""
        self._call("amend_test_run", {"run_id": run_id, "results": results})

    def append_transcript(
        self,
        *,
        run_id: Uuid,
        speaker: str,
        message: str,
        at: Seconds | None | Unset = UNSET,
        end_at: Seconds | None | Unset = UNSET,
        role: str | None | Unset = UNSET,
        interrupted: bool | None | Unset = UNSET,
        latency: Json | None | Unset = UNSET,
    ) -> None:
        """adds a turn to a running call; "at" is when it began, since the start of the call, by default now"""
        self._call("append_transcript", {"run_id": run_id, "speaker": speaker, "message": message, "at": at, "end_at": end_at, "role": role, "interrupted": interrupted, "latency": latency})

    def append_turns(
        self,
        *,
        run_id: Uuid,
        turns: Json,
    ) -> None:
        """adds turns to a running call: an array of {speaker or role, message, ms, endMs, interrupted, latency}"""
        self._call("append_turns", {"run_id": run_id, "turns": turns})

    def begin_test_run(
        self,
        *,
        run_id: Uuid,
    ) -> None:
        """a queued call of the caller begins to run; nothing changes when it runs already"""
        self._call("begin_test_run", {"run_id": run_id})

    def call_history(
        self,
        *,
        filter: Json | None | Unset = UNSET,
        cursor: str | None | Unset = UNSET,
        page_size: int | None | Unset = UNSET,
    ) -> list[CallHistoryRow]:
        """a page of the caller's calls, newest first; pass next_cursor of its last row for the next page"""
        result: list[CallHistoryRow] = self._call("call_history", {"filter": filter, "cursor": cursor, "page_size": page_size})
        return result

    def call_series(
        self,
        *,
        since: Timestamp,
        until: Timestamp,
        bucket: Seconds,
        time_zone: str | None | Unset = UNSET,
        agents: list[Uuid] | None | Unset = UNSET,
    ) -> list[CallSeriesRow]:
        """figures of each bucket of a time, empty ones included; buckets are those of the calendar in the time zone, and the first and the last have only calls from since to until"""
        result: list[CallSeriesRow] = self._call("call_series", {"since": since, "until": until, "bucket": bucket, "time_zone": time_zone, "agents": agents})
        return result

    def call_statistics(
        self,
        *,
        since: Timestamp | None | Unset = UNSET,
        until: Timestamp | None | Unset = UNSET,
        agents: list[Uuid] | None | Unset = UNSET,
    ) -> Json:
        """the caller's calls of a time, of all agents or some, as statistics: vrm.duration_quantile(...), vrm.summary(...)"""
        result: Json = self._call("call_statistics", {"since": since, "until": until, "agents": agents})
        return result

    def call_summary(
        self,
        *,
        since: Timestamp,
        until: Timestamp,
        agents: list[Uuid] | None | Unset = UNSET,
        compare: bool | None | Unset = UNSET,
    ) -> list[CallSummaryRow]:
        """figures of a time, of the time of the same length before it, and the change from that to this"""
        result: list[CallSummaryRow] = self._call("call_summary", {"since": since, "until": until, "agents": agents, "compare": compare})
        return result

    def cancel_suite(
        self,
        *,
        suite_run: Uuid,
    ) -> int:
        """gives up the calls of a run of a suite that have not ended; returns how many"""
        result: int = self._call("cancel_suite", {"suite_run": suite_run})
        return result

    def cancel_test_run(
        self,
        *,
        run_id: Uuid,
    ) -> None:
        """a queued or running call of the caller is given up; what was appended is kept in its results"""
        self._call("cancel_test_run", {"run_id": run_id})

    def change_email(
        self,
        *,
        new_email: str,
        password: str,
    ) -> SignInStatus:
        """asks for another address for the caller, who knows the password; it counts once vrm.confirm_email_change() has it"""
        result: SignInStatus = self._call("change_email", {"new_email": new_email, "password": password})
        return result

    def change_password(
        self,
        *,
        old_password: str,
        new_password: str,
    ) -> SignInStatus:
        """another password for the caller, who knows the old one; ends all other sessions"""
        result: SignInStatus = self._call("change_password", {"old_password": old_password, "new_password": new_password})
        return result

    def claim_test_run(
        self,
        *,
        runner: str | None | Unset = UNSET,
        lease: Seconds | None | Unset = UNSET,
        most: int | None | Unset = UNSET,
    ) -> list[ClaimTestRunRow]:
        """takes so many of the caller's queued calls for a runner, with their cases; a lease that ends gives a call back"""
        result: list[ClaimTestRunRow] = self._call("claim_test_run", {"runner": runner, "lease": lease, "most": most})
        return result

    def compare_suite_runs(
        self,
        *,
        a: Uuid,
        b: Uuid,
    ) -> list[CompareSuiteRunsRow]:
        """two runs of suites of the caller, case by case: improved, regressed, same, or not enough runs to tell"""
        result: list[CompareSuiteRunsRow] = self._call("compare_suite_runs", {"a": a, "b": b})
        return result

    def compare_versions(
        self,
        *,
        agent_id: Uuid,
        a: int,
        b: int,
    ) -> list[CompareVersionsRow]:
        """two versions of an agent, case by case, by all runs of suites: improved, regressed, same, or not enough runs"""
        result: list[CompareVersionsRow] = self._call("compare_versions", {"agent_id": agent_id, "a": a, "b": b})
        return result

    def compare_versions_in_all(
        self,
        *,
        agent_id: Uuid,
        a: int,
        b: int,
    ) -> CompareVersionsInAllRow:
        """two versions of an agent by all cases together: pairs of calls of which only one passed (exact test of McNemar)"""
        result: CompareVersionsInAllRow = self._call("compare_versions_in_all", {"agent_id": agent_id, "a": a, "b": b})
        return result

    def complete_test_run(
        self,
        *,
        run_id: Uuid,
        results: Json | None | Unset = UNSET,
    ) -> None:
        """a running call of the caller ends well; results add what was not appended: customer, sentiment, insights"""
        self._call("complete_test_run", {"run_id": run_id, "results": results})

    def confirm_email_change(
        self,
        *,
        token: str,
    ) -> bool:
        """makes the new address the one that counts, with the token from its mail; sessions go on; false otherwise"""
        result: bool = self._call("confirm_email_change", {"token": token})
        return result

    def confirm_sign_up(
        self,
        *,
        token: str,
        password: str,
    ) -> bool:
        """opens the account of a sign-up, with the token from the mail and the password that was chosen; false otherwise"""
        result: bool = self._call("confirm_sign_up", {"token": token, "password": password})
        return result

    def consume_password_reset(
        self,
        *,
        token: str,
        new_password: str,
        totp: str | None | Unset = UNSET,
    ) -> bool:
        """sets a new password, once for a token; ends all sessions, and asks for the second factor where there is one"""
        result: bool = self._call("consume_password_reset", {"token": token, "new_password": new_password, "totp": totp})
        return result

    def count_cached_result(
        self,
        *,
        hit: bool,
    ) -> None:
        """counts dashboards that somebody put up with some age of, those from the cache and those made, for monitoring"""
        self._call("count_cached_result", {"hit": hit})

    def create_agent(
        self,
        *,
        agent_id: str,
        agent_type: str | None | Unset = UNSET,
        connection_details: Json | None | Unset = UNSET,
        direction: CallDirection | None | Unset = UNSET,
        persona: str | None | Unset = UNSET,
        scenario: str | None | Unset = UNSET,
    ) -> Uuid:
        """makes an agent of the caller, and its default test cases from vrm.test_case_templates; returns its id"""
        result: Uuid = self._call("create_agent", {"agent_id": agent_id, "agent_type": agent_type, "connection_details": connection_details, "direction": direction, "persona": persona, "scenario": scenario})
        return result

    def create_organisation(
        self,
        *,
        name: str,
    ) -> Uuid:
        """an account that people own together, with the caller as its first admin; returns its id"""
        result: Uuid = self._call("create_organisation", {"name": name})
        return result

    def dashboard(
        self,
        *,
        name: str,
        arguments: Json | None | Unset = UNSET,
        max_age: Seconds | None | Unset = UNSET,
    ) -> Json:
        """a dashboard as a document, by name: vrm.NAME_json(arguments); with max_age one made so long ago at most"""
        result: Json = self._call("dashboard", {"name": name, "arguments": arguments, "max_age": max_age})
        return result

    def delete_account(
        self,
        *,
        user_id: Uuid | None | Unset = UNSET,
    ) -> None:
        """deletes the account of the caller or their organisation, for administrators another: erased after 30 days"""
        self._call("delete_account", {"user_id": user_id})

    def delete_agent(
        self,
        *,
        agent_id: Uuid,
    ) -> None:
        """hides an agent of the caller: it takes no more calls, its history stays"""
        self._call("delete_agent", {"agent_id": agent_id})

    def delete_api_key(
        self,
        *,
        service: str,
    ) -> None:
        """deletes the caller's key for a service"""
        self._call("delete_api_key", {"service": service})

    def delete_test_run(
        self,
        *,
        run_id: Uuid,
    ) -> None:
        """deletes one call of the caller, live or archived, and all that hangs on it, unless a legal hold keeps it"""
        self._call("delete_test_run", {"run_id": run_id})

    def erase_customer(
        self,
        *,
        customer: str,
        reason: str | None | Unset = UNSET,
    ) -> int:
        """deletes all that the caller keeps of somebody who called, unless a legal hold keeps it; returns how many calls"""
        result: int = self._call("erase_customer", {"customer": customer, "reason": reason})
        return result

    def erase_user(
        self,
        *,
        user_id: Uuid,
        reason: str,
    ) -> int:
        """service and administrators: removes a person and everything of theirs at once and for good; returns the rows"""
        result: int = self._call("erase_user", {"user_id": user_id, "reason": reason})
        return result

    def export_customer(
        self,
        *,
        customer: str,
    ) -> Json:
        """all that the caller keeps of somebody who called: calls live and archived, events, turns, recordings, reports"""
        result: Json = self._call("export_customer", {"customer": customer})
        return result

    def export_user_data(
        self,
        *,
        user_id: Uuid | None | Unset = UNSET,
    ) -> list[ExportUserDataRow]:
        """all that is kept about the caller, or for service and administrators about anybody, row by row, without secrets"""
        result: list[ExportUserDataRow] = self._call("export_user_data", {"user_id": user_id})
        return result

    def extend_lease(
        self,
        *,
        run_id: Uuid,
        runner: str | None | Unset = UNSET,
        lease: Seconds | None | Unset = UNSET,
    ) -> Timestamp:
        """heartbeat of a runner: it still has the call; an error when it has not.  Returns the end of the lease"""
        result: Timestamp = self._call("extend_lease", {"run_id": run_id, "runner": runner, "lease": lease})
        return result

    def fail_test_run(
        self,
        *,
        run_id: Uuid,
        error: str,
    ) -> None:
        """a queued or running call of the caller ends badly; what was appended is kept in its results"""
        self._call("fail_test_run", {"run_id": run_id, "error": error})

    def failure_reasons(
        self,
        *,
        since: Timestamp,
        until: Timestamp,
        n: int | None | Unset = UNSET,
    ) -> list[FailureReasonsRow]:
        """why calls of the caller failed in a time, the most frequent reasons first; archived calls are not among them"""
        result: list[FailureReasonsRow] = self._call("failure_reasons", {"since": since, "until": until, "n": n})
        return result

    def follow_events(
        self,
        *,
        cursor: str | None | Unset = UNSET,
        most: int | None | Unset = UNSET,
    ) -> list[FollowEventsRow]:
        """events of the caller's calls after those that were read, each once, in an order that late commits do not disturb"""
        result: list[FollowEventsRow] = self._call("follow_events", {"cursor": cursor, "most": most})
        return result

    def forget_cached_results(self) -> int:
        """has the caller's dashboards made anew whatever age they ask for; returns how many were kept"""
        result: int = self._call("forget_cached_results", {})
        return result

    def hand_over_agent(
        self,
        *,
        agent_id: Uuid,
        organisation: Uuid,
    ) -> int:
        """gives an agent of the caller's, with all its calls, to an organisation of theirs; returns how many calls"""
        result: int = self._call("hand_over_agent", {"agent_id": agent_id, "organisation": organisation})
        return result

    def import_call(
        self,
        *,
        source: str,
        payload: Json,
        agent_id: Uuid | None | Unset = UNSET,
    ) -> Uuid | None:
        """makes a call of the caller of a report of another platform, or amends it; null when it waits, or is not of a call"""
        result: Uuid | None = self._call("import_call", {"source": source, "payload": payload, "agent_id": agent_id})
        return result

    def invitations(self) -> list[InvitationsRow]:
        """for managers: invitations to the organisation that nobody has accepted yet"""
        result: list[InvitationsRow] = self._call("invitations", {})
        return result

    def invite(
        self,
        *,
        email: str,
        role: str,
    ) -> str:
        """for managers: invites an address to the organisation; returns the token to be mailed there, good for a week"""
        result: str = self._call("invite", {"email": email, "role": role})
        return result

    def judge_agreement(
        self,
        *,
        suite_run: Uuid,
    ) -> list[JudgeAgreementRow]:
        """how far judges of a run of a suite agree beyond chance, by metric: kappa of two, alpha of any number"""
        result: list[JudgeAgreementRow] = self._call("judge_agreement", {"suite_run": suite_run})
        return result

    def jwks(self) -> Json:
        """public keys of our access tokens as a JSON Web Key Set (RFC 7517), for servers that check them"""
        result: Json = self._call("jwks", {})
        return result

    def leave(
        self,
        *,
        organisation: Uuid,
    ) -> None:
        """the person who calls is no member of the organisation any more"""
        self._call("leave", {"organisation": organisation})

    def link_identity(
        self,
        *,
        user_id: Uuid,
        issuer: str,
        subject: str,
    ) -> None:
        """service and administrators: whom an issuer's tokens mean, whose claim sub is no UUID"""
        self._call("link_identity", {"user_id": user_id, "issuer": issuer, "subject": subject})

    def linked_identities(
        self,
        *,
        user_id: Uuid | None | Unset = UNSET,
    ) -> list[LinkedIdentitiesRow]:
        """under which names of other issuers somebody signs in; of oneself, the service and administrators of anybody"""
        result: list[LinkedIdentitiesRow] = self._call("linked_identities", {"user_id": user_id})
        return result

    def list_api_keys(self) -> list[ListApiKeysRow]:
        """the caller's API keys: service, last four characters, when stored and last used"""
        result: list[ListApiKeysRow] = self._call("list_api_keys", {})
        return result

    def live_calls(self) -> list[LiveCallsRow]:
        """the caller's calls that are queued or running, oldest first"""
        result: list[LiveCallsRow] = self._call("live_calls", {})
        return result

    def lock_account(
        self,
        *,
        user_id: Uuid,
        until: Timestamp,
        reason: str,
    ) -> None:
        """administrators only: until then the account can do nothing, and nobody can sign in to it from any device"""
        self._call("lock_account", {"user_id": user_id, "until": until, "reason": reason})

    def log(
        self,
        *,
        class_: str,
        level: str,
        message: str,
        data: Json | None | Unset = UNSET,
    ) -> None:
        """logs something for the caller: class application, error or analytics; level debug, info, warning or error"""
        self._call("log", {"class": class_, "level": level, "message": message, "data": data})

    def make_test_case(
        self,
        *,
        run_id: Uuid,
    ) -> Uuid:
        """makes a test case of a call of the caller that has ended, to be edited: what the customer said, and checks"""
        result: Uuid = self._call("make_test_case", {"run_id": run_id})
        return result

    def may_act(self) -> bool | None:
        """whether vrm.account_problem() is null, looked at once for a statement; for restrictive policies"""
        result: bool | None = self._call("may_act", {})
        return result

    def may_write(self) -> bool:
        """false while the caller acts as a viewer of an organisation; for restrictive policies"""
        result: bool = self._call("may_write", {})
        return result

    def member_activity(
        self,
        *,
        since: Timestamp | None | Unset = UNSET,
        until: Timestamp | None | Unset = UNSET,
        member: Uuid | None | Unset = UNSET,
        most: int | None | Unset = UNSET,
    ) -> list[MemberActivityRow]:
        """for managers: what members have done for the organisation, as the audit trail tells it, latest first"""
        result: list[MemberActivityRow] = self._call("member_activity", {"since": since, "until": until, "member": member, "most": most})
        return result

    def members(self) -> list[MembersRow]:
        """members of the organisation that the caller acts for; managers also see when each has last signed in"""
        result: list[MembersRow] = self._call("members", {})
        return result

    def metric_summary(
        self,
        *,
        metric_id: Uuid,
        since: Timestamp | None | Unset = UNSET,
        until: Timestamp | None | Unset = UNSET,
    ) -> MetricSummaryRow:
        """results of a metric over a time, without those overruled; distribution has ten bars from lowest to highest score"""
        result: MetricSummaryRow = self._call("metric_summary", {"metric_id": metric_id, "since": since, "until": until})
        return result

    def mfa_confirm(
        self,
        *,
        code: str,
    ) -> bool:
        """turns the second factor on, once a code shows that the authenticator has it"""
        result: bool = self._call("mfa_confirm", {"code": code})
        return result

    def mfa_disable(
        self,
        *,
        code: str,
    ) -> bool:
        """turns the second factor off, with a code of it or a recovery code"""
        result: bool = self._call("mfa_disable", {"code": code})
        return result

    def mfa_enrol(
        self,
        *,
        label: str | None | Unset = UNSET,
    ) -> MfaEnrolRow:
        """a secret for an authenticator, shown this once; vrm.mfa_confirm() turns it on"""
        result: MfaEnrolRow = self._call("mfa_enrol", {"label": label})
        return result

    def mfa_recovery_codes(
        self,
        *,
        code: str,
    ) -> list[str]:
        """ten new recovery codes, shown this once; the old ones are worthless then"""
        result: list[str] = self._call("mfa_recovery_codes", {"code": code})
        return result

    def organisations(self) -> list[OrganisationsRow]:
        """organisations that the person who calls belongs to"""
        result: list[OrganisationsRow] = self._call("organisations", {})
        return result

    def record_action(
        self,
        *,
        run_id: Uuid,
        action: str,
        status: str | None | Unset = UNSET,
        at: Seconds | None | Unset = UNSET,
        arguments: Json | None | Unset = UNSET,
        result: Json | None | Unset = UNSET,
        ok: bool | None | Unset = UNSET,
        took: int | None | Unset = UNSET,
    ) -> None:
        """adds something that the agent did to a running call; "at" is the time since its start, by default now"""
        self._call("record_action", {"run_id": run_id, "action": action, "status": status, "at": at, "arguments": arguments, "result": result, "ok": ok, "took": took})

    def record_metric_result(
        self,
        *,
        metric_id: Uuid,
        run_id: Uuid,
        score: float | None | Unset = UNSET,
        passed: bool | None | Unset = UNSET,
        rationale: str | None | Unset = UNSET,
    ) -> None:
        """keeps what a judge says of one of the caller's calls by a metric; a later verdict replaces an earlier one"""
        self._call("record_metric_result", {"metric_id": metric_id, "run_id": run_id, "score": score, "passed": passed, "rationale": rationale})

    def record_verdict(
        self,
        *,
        run_id: Uuid,
        metric_id: Uuid,
        judge: str,
        passed: bool | None | Unset = UNSET,
        score: float | None | Unset = UNSET,
        rationale: str | None | Unset = UNSET,
        case_id: Uuid | None | Unset = UNSET,
        is_person: bool | None | Unset = UNSET,
    ) -> None:
        """keeps what a judge, or a person, says of one of the caller's calls; each says it once, people overrule"""
        self._call("record_verdict", {"run_id": run_id, "metric_id": metric_id, "judge": judge, "passed": passed, "score": score, "rationale": rationale, "case_id": case_id, "is_person": is_person})

    def recording_key(
        self,
        *,
        recording_id: Uuid,
    ) -> str:
        """the 32 bytes that a recording of the caller's is encrypted with, for AES-256-GCM or the like"""
        result: str = self._call("recording_key", {"recording_id": recording_id})
        return result

    def recover_account(
        self,
        *,
        user_id: Uuid,
        email: str | None | Unset = UNSET,
    ) -> None:
        """service and administrators: puts a deleted account back as it was, or with another address"""
        self._call("recover_account", {"user_id": user_id, "email": email})

    def recover_own_account(
        self,
        *,
        token: str,
        password: str,
        totp: str | None | Unset = UNSET,
    ) -> bool:
        """puts back an account that its owner has deleted, with the token from the mail, the password and the second factor"""
        result: bool = self._call("recover_own_account", {"token": token, "password": password, "totp": totp})
        return result

    def register_recording(
        self,
        *,
        run_id: Uuid,
        object_key: str,
        bytes: int,
        sha256: str,
    ) -> Uuid:
        """notes where the recording of a caller's call is stored and makes a key to encrypt it with"""
        result: Uuid = self._call("register_recording", {"run_id": run_id, "object_key": object_key, "bytes": bytes, "sha256": sha256})
        return result

    def remove_member(
        self,
        *,
        member: Uuid,
    ) -> None:
        """for managers: a viewer or member is none any more, for admins anybody; counts at once, in open transactions too"""
        self._call("remove_member", {"member": member})

    def replace_api_key(
        self,
        *,
        service: str,
        key: str,
    ) -> None:
        """puts another key in the place of the caller's key for a service"""
        self._call("replace_api_key", {"service": service, "key": key})

    def request_account_recovery(
        self,
        *,
        email: str,
        client_ip: str | None | Unset = UNSET,
    ) -> None:
        """asks for a mail by which a deleted account comes back; says and takes the same for everybody, three times an hour"""
        self._call("request_account_recovery", {"email": email, "client_ip": client_ip})

    def request_password_reset(
        self,
        *,
        email: str,
        client_ip: str | None | Unset = UNSET,
    ) -> None:
        """asks for a mail with a reset token; says and takes the same for everybody, three times an hour"""
        self._call("request_password_reset", {"email": email, "client_ip": client_ip})

    def restore_agent_version(
        self,
        *,
        agent_id: Uuid,
        version: int,
    ) -> int:
        """one of the caller's agents becomes what it was; returns the number of the new version"""
        result: int = self._call("restore_agent_version", {"agent_id": agent_id, "version": version})
        return result

    def revoke_invitation(
        self,
        *,
        id: Uuid,
    ) -> bool:
        """for managers: an invitation is worthless from now on; false when there is none"""
        result: bool = self._call("revoke_invitation", {"id": id})
        return result

    def search_calls(
        self,
        *,
        filter: Json,
        place_at: Timestamp | None | Unset = UNSET,
        place_id: Uuid | None | Unset = UNSET,
        page_size: int | None | Unset = UNSET,
    ) -> list[SearchCallsRow]:
        """a page of the caller's calls in which something was said or with a customer: what vrm.call_history() asks"""
        result: list[SearchCallsRow] = self._call("search_calls", {"filter": filter, "place_at": place_at, "place_id": place_id, "page_size": page_size})
        return result

    def session_act_as(
        self,
        *,
        organisation: Uuid | None | Unset = UNSET,
    ) -> str:
        """an access token of the caller's session that acts for the organisation, or for the person without one"""
        result: str = self._call("session_act_as", {"organisation": organisation})
        return result

    def session_refresh(
        self,
        *,
        refresh_token: str,
    ) -> SignInResult:
        """new tokens for a refresh token; the same within ten seconds, afterwards a second use ends the session for good"""
        result: SignInResult = self._call("session_refresh", {"refresh_token": refresh_token})
        return result

    def session_revoke(
        self,
        *,
        session_id: Uuid,
    ) -> bool:
        """ends one of the caller's sessions, for administrators anybody's; false when there is none"""
        result: bool = self._call("session_revoke", {"session_id": session_id})
        return result

    def session_revoke_all(
        self,
        *,
        user_id: Uuid,
    ) -> int:
        """ends all sessions of a user and returns how many"""
        result: int = self._call("session_revoke_all", {"user_id": user_id})
        return result

    def session_step_up(
        self,
        *,
        code: str,
    ) -> SignInResult:
        """shows the second factor in a session that began without it, and gives an access token that says so"""
        result: SignInResult = self._call("session_step_up", {"code": code})
        return result

    def set_member_role(
        self,
        *,
        member: Uuid,
        role: str,
    ) -> None:
        """for admins: another role for a member; counts at once"""
        self._call("set_member_role", {"member": member, "role": role})

    def set_search_config(
        self,
        *,
        agent_id: Uuid,
        config: str,
    ) -> None:
        """says in which language an agent's calls are: a text search configuration such as english"""
        self._call("set_search_config", {"agent_id": agent_id, "config": config})

    def set_user_role(
        self,
        *,
        user_id: Uuid,
        role: UserRole,
    ) -> None:
        """administrators only: makes another person a user, manager or admin"""
        self._call("set_user_role", {"user_id": user_id, "role": role})

    def sign_in(
        self,
        *,
        email: str,
        password: str,
        totp: str | None | Unset = UNSET,
        client_ip: str | None | Unset = UNSET,
        user_agent: str | None | Unset = UNSET,
        device_token: str | None | Unset = UNSET,
    ) -> SignInResult:
        """a session with its tokens, or the status that says why not; unknown users are answered like known ones"""
        result: SignInResult = self._call("sign_in", {"email": email, "password": password, "totp": totp, "client_ip": client_ip, "user_agent": user_agent, "device_token": device_token})
        return result

    def sign_in_mfa(
        self,
        *,
        mfa_ticket: str,
        code: str,
        client_ip: str | None | Unset = UNSET,
    ) -> SignInResult:
        """the second half of a sign-in: a code of the authenticator or a recovery code"""
        result: SignInResult = self._call("sign_in_mfa", {"mfa_ticket": mfa_ticket, "code": code, "client_ip": client_ip})
        return result

    def sign_up(
        self,
        *,
        email: str,
        password: str,
        full_name: str | None | Unset = UNSET,
        client_ip: str | None | Unset = UNSET,
    ) -> Uuid:
        """asks for an account, which is good once vrm.confirm_sign_up() has proved the address; answers the same for all"""
        result: Uuid = self._call("sign_up", {"email": email, "password": password, "full_name": full_name, "client_ip": client_ip})
        return result

    def start_suite(
        self,
        *,
        cases: list[Uuid],
        agent_id: Uuid,
        version: int | None | Unset = UNSET,
        repeats: int | None | Unset = UNSET,
        suite: Uuid | None | Unset = UNSET,
        time_limit: int | None | Unset = UNSET,
    ) -> Uuid:
        """queues a call for each case and repeat on a version of an agent; without cases, as the suite says"""
        result: Uuid = self._call("start_suite", {"cases": cases, "agent_id": agent_id, "version": version, "repeats": repeats, "suite": suite, "time_limit": time_limit})
        return result

    def start_test_run(
        self,
        *,
        agent_id: Uuid,
        test_case_ids: list[Uuid] | None | Unset = UNSET,
        time_limit: int | None | Unset = UNSET,
        outbound_call_params: Json | None | Unset = UNSET,
    ) -> Uuid:
        """a call of one of the caller's agents begins; returns its id"""
        result: Uuid = self._call("start_test_run", {"agent_id": agent_id, "test_case_ids": test_case_ids, "time_limit": time_limit, "outbound_call_params": outbound_call_params})
        return result

    def statistics_between(
        self,
        *,
        edges: list[Timestamp],
        agents: list[Uuid] | None | Unset = UNSET,
        together: bool | None | Unset = UNSET,
    ) -> list[StatisticsBetweenRow]:
        """the caller's calls between each edge and the next as statistics, in several parts, of each agent or together"""
        result: list[StatisticsBetweenRow] = self._call("statistics_between", {"edges": edges, "agents": agents, "together": together})
        return result

    def statistics_by_agent(
        self,
        *,
        since: Timestamp,
        until: Timestamp,
        agents: list[Uuid] | None | Unset = UNSET,
        together: bool | None | Unset = UNSET,
    ) -> list[StatisticsByAgentRow]:
        """the caller's calls of a time as statistics, of each agent or several together, for vrm.rollup() to add up"""
        result: list[StatisticsByAgentRow] = self._call("statistics_by_agent", {"since": since, "until": until, "agents": agents, "together": together})
        return result

    def statistics_by_bucket(
        self,
        *,
        edges: list[Timestamp],
        agents: list[Uuid] | None | Unset = UNSET,
    ) -> list[StatisticsByBucketRow]:
        """the caller's calls between each edge and the next as statistics, in several parts, for vrm.rollup() to add up"""
        result: list[StatisticsByBucketRow] = self._call("statistics_by_bucket", {"edges": edges, "agents": agents})
        return result

    def store_api_key(
        self,
        *,
        service: str,
        key: str,
        description: str | None | Unset = UNSET,
    ) -> Uuid:
        """keeps the caller's key for a service, sealed; pass it as a parameter, never as a literal"""
        result: Uuid = self._call("store_api_key", {"service": service, "key": key, "description": description})
        return result

    def suite_gate(
        self,
        *,
        suite_run: Uuid,
    ) -> SuiteGateRow:
        """whether a run of a suite is good enough: all calls judged, thresholds met, no case worse than before"""
        result: SuiteGateRow = self._call("suite_gate", {"suite_run": suite_run})
        return result

    def suite_junit(
        self,
        *,
        suite_run: Uuid,
    ) -> str:
        """a run of a suite as JUnit XML, for CI systems: a test for each case, and one for the gate"""
        result: str = self._call("suite_junit", {"suite_run": suite_run})
        return result

    def suite_report(
        self,
        *,
        suite_run: Uuid,
        k: int | None | Unset = UNSET,
    ) -> list[SuiteReportRow]:
        """a run of a suite of the caller: one row per case, and one of all cases, which has the means of theirs"""
        result: list[SuiteReportRow] = self._call("suite_report", {"suite_run": suite_run, "k": k})
        return result

    def team_role(self) -> str:
        """role in the organisation that the caller acts for: viewer, member, manager or admin; NULL for themselves"""
        result: str = self._call("team_role", {})
        return result

    def unlink_identity(
        self,
        *,
        issuer: str,
        subject: str,
    ) -> bool:
        """service and administrators: tokens with that subject are nobody's from now on; false when they were before"""
        result: bool = self._call("unlink_identity", {"issuer": issuer, "subject": subject})
        return result

    def unlock_account(
        self,
        *,
        identifier: str,
        reason: str | None | Unset = UNSET,
    ) -> bool:
        """administrators only: forgets the failures of an address and every lock; false when there were none"""
        result: bool = self._call("unlock_account", {"identifier": identifier, "reason": reason})
        return result

    def user_dashboard(self) -> UserDashboardRow:
        """the caller's agents and calls in one row; success_rate is completed / (completed + failed)"""
        result: UserDashboardRow = self._call("user_dashboard", {})
        return result

    def verify_password_reset(
        self,
        *,
        token: str,
    ) -> bool:
        """whether the token would be taken"""
        result: bool = self._call("verify_password_reset", {"token": token})
        return result

    def version(self) -> str:
        """version of the module that is loaded"""
        result: str = self._call("version", {})
        return result

    def version_matrix(
        self,
        *,
        agent_id: Uuid,
    ) -> list[VersionMatrixRow]:
        """how the cases of suites have gone on each version of one of the caller's agents"""
        result: list[VersionMatrixRow] = self._call("version_matrix", {"agent_id": agent_id})
        return result
