// What applications call of vrm, made of its catalog by tools/clients.pl: do not edit.
import type { Json, Seconds, Timestamp, Trait, Uuid } from './runtime.js';

export type CallDirection = 'inbound' | 'outbound';
export type RunStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';
export type Sentiment = 'positive' | 'neutral' | 'negative';
export type SignInStatus = 'ok' | 'mfa_required' | 'invalid' | 'locked' | 'throttled' | 'unavailable';
export type UserRole = 'user' | 'manager' | 'admin';

export interface AgentDiffRow {
  place: string | null;
  before: Json | null;
  after: Json | null;
}

export interface AgentFindingsRow {
  agent_id: Uuid | null;
  agent: string | null;
  measure: string | null;
  value: number | null;
  allowed: number | null;
  calls: number | null;
  since: Timestamp | null;
}

export interface AgentPerformanceRow {
  agent_id: Uuid | null;
  agent: string | null;
  calls: number | null;
  completed: number | null;
  failed: number | null;
  success_rate: number | null;
  average_duration: Seconds | null;
  p50_duration: Seconds | null;
  p95_duration: Seconds | null;
  positive_share: number | null;
  actions: number | null;
  customers: number | null;
  bad: number | null;
  p50_answer_time: Seconds | null;
  p95_answer_time: Seconds | null;
  interruptions: number | null;
  talk_share: number | null;
  transfer_rate: number | null;
  containment_rate: number | null;
  cost: number | null;
  currency: string | null;
  tool_success_rate: number | null;
}

export interface CallHistoryRow {
  id: Uuid | null;
  agent: string | null;
  status: string | null;
  started_at: Timestamp | null;
  duration: Seconds | null;
  customer: string | null;
  sentiment: Sentiment | null;
  actions: number | null;
  error: string | null;
  next_cursor: string | null;
  excerpt: string | null;
  agent_version: number | null;
}

export interface CallSeriesRow {
  bucket_since: Timestamp | null;
  bucket_until: Timestamp | null;
  calls: number | null;
  completed: number | null;
  failed: number | null;
  cancelled: number | null;
  success_rate: number | null;
  average_duration: Seconds | null;
  p50_duration: Seconds | null;
  p95_duration: Seconds | null;
  positive: number | null;
  neutral: number | null;
  negative: number | null;
  customers: number | null;
  p50_answer_time: Seconds | null;
  p95_answer_time: Seconds | null;
  interruptions: number | null;
  talk_share: number | null;
  transfer_rate: number | null;
  containment_rate: number | null;
  cost: number | null;
  currency: string | null;
  tool_success_rate: number | null;
}

export interface CallSummaryRow {
  period: string | null;
  period_since: Timestamp | null;
  period_until: Timestamp | null;
  calls: number | null;
  queued: number | null;
  running: number | null;
  completed: number | null;
  failed: number | null;
  cancelled: number | null;
  success_rate: number | null;
  average_duration: Seconds | null;
  stddev_duration: Seconds | null;
  p50_duration: Seconds | null;
  p95_duration: Seconds | null;
  p99_duration: Seconds | null;
  max_duration: Seconds | null;
  positive: number | null;
  neutral: number | null;
  negative: number | null;
  actions: number | null;
  customers: number | null;
  bad: number | null;
  p50_answer_time: Seconds | null;
  p95_answer_time: Seconds | null;
  interruptions: number | null;
  talk_share: number | null;
  transfer_rate: number | null;
  containment_rate: number | null;
  cost: number | null;
  currency: string | null;
  tool_success_rate: number | null;
}

export interface ClaimTestRunRow {
  run_id: Uuid | null;
  suite_run: Uuid | null;
  agent_id: Uuid | null;
  agent_version: number | null;
  connection_details: Json | null;
  case_id: Uuid | null;
  case_name: string | null;
  persona: Json | null;
  scenario: Json | null;
  metrics: Json | null;
  repeat: number | null;
  attempt: number | null;
  lease_until: Timestamp | null;
}

export interface CompareSuiteRunsRow {
  case_id: Uuid | null;
  case_name: string | null;
  verdict: string | null;
  runs_a: number | null;
  passed_a: number | null;
  runs_b: number | null;
  passed_b: number | null;
  p_value: number | null;
  adjusted_p: number | null;
  repeats_needed: number | null;
  latency: string | null;
  latency_a: number | null;
  latency_b: number | null;
  scores: string | null;
  score_a: number | null;
  score_b: number | null;
}

export interface CompareVersionsInAllRow {
  verdict: string | null;
  pairs: number | null;
  only_a: number | null;
  only_b: number | null;
  p_value: number | null;
}

export interface CompareVersionsRow {
  case_id: Uuid | null;
  case_name: string | null;
  verdict: string | null;
  runs_a: number | null;
  passed_a: number | null;
  runs_b: number | null;
  passed_b: number | null;
  p_value: number | null;
  adjusted_p: number | null;
  repeats_needed: number | null;
  latency: string | null;
  latency_a: number | null;
  latency_b: number | null;
  scores: string | null;
  score_a: number | null;
  score_b: number | null;
}

export interface ExportUserDataRow {
  relation: string | null;
  pk: Json | null;
  data: Json | null;
}

export interface FailureReasonsRow {
  reason: string | null;
  calls: number | null;
  share: number | null;
  agents: number | null;
  last_at: Timestamp | null;
}

export interface FollowEventsRow {
  event_id: Uuid | null;
  run_id: Uuid | null;
  status: RunStatus | null;
  at: Timestamp | null;
  next_cursor: string | null;
}

export interface InvitationsRow {
  id: Uuid | null;
  email: string | null;
  role: string | null;
  invited_by: string | null;
  created_at: Timestamp | null;
  expires_at: Timestamp | null;
}

export interface JudgeAgreementRow {
  metric_id: Uuid | null;
  metric: string | null;
  judges: string[] | null;
  calls: number | null;
  cohen_kappa: number | null;
  krippendorff_alpha: number | null;
  score_alpha: number | null;
}

export interface LinkedIdentitiesRow {
  issuer: string | null;
  subject: string | null;
  linked_at: Timestamp | null;
}

export interface ListApiKeysRow {
  service: string | null;
  hint: string | null;
  description: string | null;
  created_at: Timestamp | null;
  last_used_at: Timestamp | null;
}

export interface LiveCallsRow {
  id: Uuid | null;
  agent_id: Uuid | null;
  agent: string | null;
  status: string | null;
  started_at: Timestamp | null;
  elapsed: Seconds | null;
  turns: number | null;
  last_message: string | null;
}

export interface MemberActivityRow {
  at: Timestamp | null;
  member_id: Uuid | null;
  email: string | null;
  action: string | null;
  relation: string | null;
  old: Json | null;
  new: Json | null;
  detail: Json | null;
}

export interface MembersRow {
  member_id: Uuid | null;
  email: string | null;
  full_name: string | null;
  role: string | null;
  joined_at: Timestamp | null;
  last_login: Timestamp | null;
}

export interface MetricSummaryRow {
  results: number | null;
  mean: number | null;
  stddev: number | null;
  lowest: number | null;
  median: number | null;
  highest: number | null;
  pass_rate: number | null;
  distribution: Json | null;
  trend_per_day: number | null;
}

export interface MfaEnrolRow {
  factor_id: Uuid | null;
  secret: string | null;
  otpauth_uri: string | null;
}

export interface OrganisationsRow {
  organisation_id: Uuid | null;
  name: string | null;
  role: string | null;
  joined_at: Timestamp | null;
  acted_for: boolean | null;
}

export interface SearchCallsRow {
  id: Uuid | null;
  agent: string | null;
  status: string | null;
  started_at: Timestamp | null;
  duration: Seconds | null;
  customer: string | null;
  sentiment: Sentiment | null;
  actions: number | null;
  error: string | null;
  next_cursor: string | null;
  excerpt: string | null;
  agent_version: number | null;
}

export interface SignInResult {
  status: SignInStatus | null;
  user_id: Uuid | null;
  session_id: Uuid | null;
  access_token: string | null;
  refresh_token: string | null;
  device_token: string | null;
  mfa_ticket: string | null;
  retry_after: Seconds | null;
}

export interface StatisticsBetweenRow {
  bucket: number | null;
  agent_id: Uuid | null;
  stats: Json | null;
}

export interface StatisticsByAgentRow {
  agent_id: Uuid | null;
  stats: Json | null;
}

export interface StatisticsByBucketRow {
  bucket: number | null;
  stats: Json | null;
}

export interface SuiteGateRow {
  passed: boolean | null;
  reason: string | null;
}

export interface SuiteReportRow {
  case_id: Uuid | null;
  case_name: string | null;
  runs: number | null;
  passed: number | null;
  undecided: number | null;
  waiting: number | null;
  pass_rate: number | null;
  lower: number | null;
  upper: number | null;
  tries: number | null;
  pass_at_k: number | null;
  pass_hat_k: number | null;
  flaky: boolean | null;
  score: number | null;
  duration: Seconds | null;
  answering_time: number | null;
  failures: Json | null;
}

export interface UserDashboardRow {
  agents: number | null;
  calls: number | null;
  live: number | null;
  completed: number | null;
  failed: number | null;
  cancelled: number | null;
  success_rate: number | null;
  average_duration: Seconds | null;
  p95_duration: Seconds | null;
  customers: number | null;
  last_call_at: Timestamp | null;
  recent_calls: Json | null;
}

export interface VersionMatrixRow {
  case_id: Uuid | null;
  case_name: string | null;
  version: number | null;
  runs: number | null;
  passed: number | null;
  pass_rate: number | null;
}

export interface Functions {
  /** makes the person who calls a member, with the token of an invitation to their address; returns the organisation */
  accept: {
    arguments: { token: string };
    result: Uuid;
  };
  /** why the caller may not act now: locked, deleted, anonymous, no member any more ...; null when all is well */
  account_problem: {
    arguments: {};
    result: string | null;
  };
  /** acts for an organisation of the caller's until the transaction ends, by NULL for themselves; returns the role */
  act_as: {
    arguments: { organisation: Uuid };
    result: string;
  };
  /** person who has signed in, also while they act for an organisation; NULL for nobody and after expiry */
  actor: {
    arguments: {};
    result: Uuid;
  };
  /** what differs between two versions of one of the caller's agents: JSON pointer, before and after */
  agent_diff: {
    arguments: { agent_id: Uuid; a: number; b: number };
    result: AgentDiffRow[];
  };
  /** what of the caller's agents is beyond its threshold now; since is when vrm.maintain() first saw it, or now */
  agent_findings: {
    arguments: {};
    result: AgentFindingsRow[];
  };
  /** the caller's agents over a time: calls, success, length, sentiment */
  agent_performance: {
    arguments: { since: Timestamp; until: Timestamp };
    result: AgentPerformanceRow[];
  };
  /** merges what is said later of a call of the caller, live or archived: sentiment, insights, metrics, turns */
  amend_test_run: {
    arguments: { run_id: Uuid; results: Json };
    result: null;
  };
  /** adds a turn to a running call; "at" is when it began, since the start of the call, by default now */
  append_transcript: {
    arguments: { run_id: Uuid; speaker: string; message: string; at?: Seconds | null; end_at?: Seconds | null; role?: string | null; interrupted?: boolean | null; latency?: Json | null };
    result: null;
  };
  /** adds turns to a running call: an array of {speaker or role, message, ms, endMs, interrupted, latency} */
  append_turns: {
    arguments: { run_id: Uuid; turns: Json };
    result: null;
  };
  /** a queued call of the caller begins to run; nothing changes when it runs already */
  begin_test_run: {
    arguments: { run_id: Uuid };
    result: null;
  };
  /** a page of the caller's calls, newest first; pass next_cursor of its last row for the next page */
  call_history: {
    arguments: { filter?: Json | null; cursor?: string | null; page_size?: number | null };
    result: CallHistoryRow[];
  };
  /** figures of each bucket of a time, empty ones included; buckets are those of the calendar in the time zone, and the first and the last have only calls from since to until */
  call_series: {
    arguments: { since: Timestamp; until: Timestamp; bucket: Seconds; time_zone?: string | null; agents?: Uuid[] | null };
    result: CallSeriesRow[];
  };
  /** the caller's calls of a time, of all agents or some, as statistics: vrm.duration_quantile(...), vrm.summary(...) */
  call_statistics: {
    arguments: { since?: Timestamp | null; until?: Timestamp | null; agents?: Uuid[] | null };
    result: Json;
  };
  /** figures of a time, of the time of the same length before it, and the change from that to this */
  call_summary: {
    arguments: { since: Timestamp; until: Timestamp; agents?: Uuid[] | null; compare?: boolean | null };
    result: CallSummaryRow[];
  };
  /** gives up the calls of a run of a suite that have not ended; returns how many */
  cancel_suite: {
    arguments: { suite_run: Uuid };
    result: number;
  };
  /** a queued or running call of the caller is given up; what was appended is kept in its results */
  cancel_test_run: {
    arguments: { run_id: Uuid };
    result: null;
  };
  /** asks for another address for the caller, who knows the password; it counts once vrm.confirm_email_change() has it */
  change_email: {
    arguments: { new_email: string; password: string };
    result: SignInStatus;
  };
  /** another password for the caller, who knows the old one; ends all other sessions */
  change_password: {
    arguments: { old_password: string; new_password: string };
    result: SignInStatus;
  };
  /** takes so many of the caller's queued calls for a runner, with their cases; a lease that ends gives a call back */
  claim_test_run: {
    arguments: { runner?: string | null; lease?: Seconds | null; most?: number | null };
    result: ClaimTestRunRow[];
  };
  /** two runs of suites of the caller, case by case: improved, regressed, same, or not enough runs to tell */
  compare_suite_runs: {
    arguments: { a: Uuid; b: Uuid };
    result: CompareSuiteRunsRow[];
  };
  /** two versions of an agent, case by case, by all runs of suites: improved, regressed, same, or not enough runs */
  compare_versions: {
    arguments: { agent_id: Uuid; a: number; b: number };
    result: CompareVersionsRow[];
  };
  /** two versions of an agent by all cases together: pairs of calls of which only one passed (exact test of McNemar) */
  compare_versions_in_all: {
    arguments: { agent_id: Uuid; a: number; b: number };
    result: CompareVersionsInAllRow;
  };
  /** a running call of the caller ends well; results add what was not appended: customer, sentiment, insights */
  complete_test_run: {
    arguments: { run_id: Uuid; results?: Json | null };
    result: null;
  };
  /** makes the new address the one that counts, with the token from its mail; sessions go on; false otherwise */
  confirm_email_change: {
    arguments: { token: string };
    result: boolean;
  };
  /** opens the account of a sign-up, with the token from the mail and the password that was chosen; false otherwise */
  confirm_sign_up: {
    arguments: { token: string; password: string };
    result: boolean;
  };
  /** sets a new password, once for a token; ends all sessions, and asks for the second factor where there is one */
  consume_password_reset: {
    arguments: { token: string; new_password: string; totp?: string | null };
    result: boolean;
  };
  /** counts dashboards that somebody put up with some age of, those from the cache and those made, for monitoring */
  count_cached_result: {
    arguments: { hit: boolean };
    result: null;
  };
  /** makes an agent of the caller, and its default test cases from vrm.test_case_templates; returns its id */
  create_agent: {
    arguments: { agent_id: string; agent_type?: string | null; connection_details?: Json | null; direction?: CallDirection | null; persona?: string | null; scenario?: string | null };
    result: Uuid;
  };
  /** an account that people own together, with the caller as its first admin; returns its id */
  create_organisation: {
    arguments: { name: string };
    result: Uuid;
  };
  /** a dashboard as a document, by name: vrm.NAME_json(arguments); with max_age one made so long ago at most */
  dashboard: {
    arguments: { name: string; arguments?: Json | null; max_age?: Seconds | null };
    result: Json;
  };
  /** deletes the account of the caller or their organisation, for administrators another: erased after 30 days */
  delete_account: {
    arguments: { user_id?: Uuid | null };
    result: null;
  };
  /** hides an agent of the caller: it takes no more calls, its history stays */
  delete_agent: {
    arguments: { agent_id: Uuid };
    result: null;
  };
  /** deletes the caller's key for a service */
  delete_api_key: {
    arguments: { service: string };
    result: null;
  };
  /** deletes one call of the caller, live or archived, and all that hangs on it, unless a legal hold keeps it */
  delete_test_run: {
    arguments: { run_id: Uuid };
    result: null;
  };
  /** deletes all that the caller keeps of somebody who called, unless a legal hold keeps it; returns how many calls */
  erase_customer: {
    arguments: { customer: string; reason?: string | null };
    result: number;
  };
  /** service and administrators: removes a person and everything of theirs at once and for good; returns the rows */
  erase_user: {
    arguments: { user_id: Uuid; reason: string };
    result: number;
  };
  /** all that the caller keeps of somebody who called: calls live and archived, events, turns, recordings, reports */
  export_customer: {
    arguments: { customer: string };
    result: Json;
  };
  /** all that is kept about the caller, or for service and administrators about anybody, row by row, without secrets */
  export_user_data: {
    arguments: { user_id?: Uuid | null };
    result: ExportUserDataRow[];
  };
  /** heartbeat of a runner: it still has the call; an error when it has not.  Returns the end of the lease */
  extend_lease: {
    arguments: { run_id: Uuid; runner?: string | null; lease?: Seconds | null };
    result: Timestamp;
  };
  /** a queued or running call of the caller ends badly; what was appended is kept in its results */
  fail_test_run: {
    arguments: { run_id: Uuid; error: string };
    result: null;
  };
  /** why calls of the caller failed in a time, the most frequent reasons first; archived calls are not among them */
  failure_reasons: {
    arguments: { since: Timestamp; until: Timestamp; n?: number | null };
    result: FailureReasonsRow[];
  };
  /** events of the caller's calls after those that were read, each once, in an order that late commits do not disturb */
  follow_events: {
    arguments: { cursor?: string | null; most?: number | null };
    result: FollowEventsRow[];
  };
  /** has the caller's dashboards made anew whatever age they ask for; returns how many were kept */
  forget_cached_results: {
    arguments: {};
    result: number;
  };
  /** gives an agent of the caller's, with all its calls, to an organisation of theirs; returns how many calls */
  hand_over_agent: {
    arguments: { agent_id: Uuid; organisation: Uuid };
    result: number;
  };
  /** makes a call of the caller of a report of another platform, or amends it; null when it waits, or is not of a call */
  import_call: {
    arguments: { source: string; payload: Json; agent_id?: Uuid | null };
    result: Uuid | null;
  };
  /** for managers: invitations to the organisation that nobody has accepted yet */
  invitations: {
    arguments: {};
    result: InvitationsRow[];
  };
  /** for managers: invites an address to the organisation; returns the token to be mailed there, good for a week */
  invite: {
    arguments: { email: string; role: string };
    result: string;
  };
  /** how far judges of a run of a suite agree beyond chance, by metric: kappa of two, alpha of any number */
  judge_agreement: {
    arguments: { suite_run: Uuid };
    result: JudgeAgreementRow[];
  };
  /** public keys of our access tokens as a JSON Web Key Set (RFC 7517), for servers that check them */
  jwks: {
    arguments: {};
    result: Json;
  };
  /** the person who calls is no member of the organisation any more */
  leave: {
    arguments: { organisation: Uuid };
    result: null;
  };
  /** service and administrators: whom an issuer's tokens mean, whose claim sub is no UUID */
  link_identity: {
    arguments: { user_id: Uuid; issuer: string; subject: string };
    result: null;
  };
  /** under which names of other issuers somebody signs in; of oneself, the service and administrators of anybody */
  linked_identities: {
    arguments: { user_id?: Uuid | null };
    result: LinkedIdentitiesRow[];
  };
  /** the caller's API keys: service, last four characters, when stored and last used */
  list_api_keys: {
    arguments: {};
    result: ListApiKeysRow[];
  };
  /** the caller's calls that are queued or running, oldest first */
  live_calls: {
    arguments: {};
    result: LiveCallsRow[];
  };
  /** administrators only: until then the account can do nothing, and nobody can sign in to it from any device */
  lock_account: {
    arguments: { user_id: Uuid; until: Timestamp; reason: string };
    result: null;
  };
  /** logs something for the caller: class application, error or analytics; level debug, info, warning or error */
  log: {
    arguments: { class: string; level: string; message: string; data?: Json | null };
    result: null;
  };
  /** makes a test case of a call of the caller that has ended, to be edited: what the customer said, and checks */
  make_test_case: {
    arguments: { run_id: Uuid };
    result: Uuid;
  };
  /** whether vrm.account_problem() is null, looked at once for a statement; for restrictive policies */
  may_act: {
    arguments: {};
    result: boolean | null;
  };
  /** false while the caller acts as a viewer of an organisation; for restrictive policies */
  may_write: {
    arguments: {};
    result: boolean;
  };
  /** for managers: what members have done for the organisation, as the audit trail tells it, latest first */
  member_activity: {
    arguments: { since?: Timestamp | null; until?: Timestamp | null; member?: Uuid | null; most?: number | null };
    result: MemberActivityRow[];
  };
  /** members of the organisation that the caller acts for; managers also see when each has last signed in */
  members: {
    arguments: {};
    result: MembersRow[];
  };
  /** results of a metric over a time, without those overruled; distribution has ten bars from lowest to highest score */
  metric_summary: {
    arguments: { metric_id: Uuid; since?: Timestamp | null; until?: Timestamp | null };
    result: MetricSummaryRow;
  };
  /** turns the second factor on, once a code shows that the authenticator has it */
  mfa_confirm: {
    arguments: { code: string };
    result: boolean;
  };
  /** turns the second factor off, with a code of it or a recovery code */
  mfa_disable: {
    arguments: { code: string };
    result: boolean;
  };
  /** a secret for an authenticator, shown this once; vrm.mfa_confirm() turns it on */
  mfa_enrol: {
    arguments: { label?: string | null };
    result: MfaEnrolRow;
  };
  /** ten new recovery codes, shown this once; the old ones are worthless then */
  mfa_recovery_codes: {
    arguments: { code: string };
    result: string[];
  };
  /** organisations that the person who calls belongs to */
  organisations: {
    arguments: {};
    result: OrganisationsRow[];
  };
  /** adds something that the agent did to a running call; "at" is the time since its start, by default now */
  record_action: {
    arguments: { run_id: Uuid; action: string; status?: string | null; at?: Seconds | null; arguments?: Json | null; result?: Json | null; ok?: boolean | null; took?: number | null };
    result: null;
  };
  /** keeps what a judge says of one of the caller's calls by a metric; a later verdict replaces an earlier one */
  record_metric_result: {
    arguments: { metric_id: Uuid; run_id: Uuid; score?: number | null; passed?: boolean | null; rationale?: string | null };
    result: null;
  };
  /** keeps what a judge, or a person, says of one of the caller's calls; each says it once, people overrule */
  record_verdict: {
    arguments: { run_id: Uuid; metric_id: Uuid; judge: string; passed?: boolean | null; score?: number | null; rationale?: string | null; case_id?: Uuid | null; is_person?: boolean | null };
    result: null;
  };
  /** the 32 bytes that a recording of the caller's is encrypted with, for AES-256-GCM or the like */
  recording_key: {
    arguments: { recording_id: Uuid };
    result: string;
  };
  /** service and administrators: puts a deleted account back as it was, or with another address */
  recover_account: {
    arguments: { user_id: Uuid; email?: string | null };
    result: null;
  };
  /** puts back an account that its owner has deleted, with the token from the mail, the password and the second factor */
  recover_own_account: {
    arguments: { token: string; password: string; totp?: string | null };
    result: boolean;
  };
  /** notes where the recording of a caller's call is stored and makes a key to encrypt it with */
  register_recording: {
    arguments: { run_id: Uuid; object_key: string; bytes: number; sha256: string };
    result: Uuid;
  };
  /** for managers: a viewer or member is none any more, for admins anybody; counts at once, in open transactions too */
  remove_member: {
    arguments: { member: Uuid };
    result: null;
  };
  /** puts another key in the place of the caller's key for a service */
  replace_api_key: {
    arguments: { service: string; key: string };
    result: null;
  };
  /** asks for a mail by which a deleted account comes back; says and takes the same for everybody, three times an hour */
  request_account_recovery: {
    arguments: { email: string; client_ip?: string | null };
    result: null;
  };
  /** asks for a mail with a reset token; says and takes the same for everybody, three times an hour */
  request_password_reset: {
    arguments: { email: string; client_ip?: string | null };
    result: null;
  };
  /** one of the caller's agents becomes what it was; returns the number of the new version */
  restore_agent_version: {
    arguments: { agent_id: Uuid; version: number };
    result: number;
  };
  /** for managers: an invitation is worthless from now on; false when there is none */
  revoke_invitation: {
    arguments: { id: Uuid };
    result: boolean;
  };
  /** a page of the caller's calls in which something was said or with a customer: what vrm.call_history() asks */
  search_calls: {
    arguments: { filter: Json; place_at?: Timestamp | null; place_id?: Uuid | null; page_size?: number | null };
    result: SearchCallsRow[];
  };
  /** an access token of the caller's session that acts for the organisation, or for the person without one */
  session_act_as: {
    arguments: { organisation?: Uuid | null };
    result: string;
  };
  /** new tokens for a refresh token; the same within ten seconds, afterwards a second use ends the session for good */
  session_refresh: {
    arguments: { refresh_token: string };
    result: SignInResult;
  };
  /** ends one of the caller's sessions, for administrators anybody's; false when there is none */
  session_revoke: {
    arguments: { session_id: Uuid };
    result: boolean;
  };
  /** ends all sessions of a user and returns how many */
  session_revoke_all: {
    arguments: { user_id: Uuid };
    result: number;
  };
  /** shows the second factor in a session that began without it, and gives an access token that says so */
  session_step_up: {
    arguments: { code: string };
    result: SignInResult;
  };
  /** for admins: another role for a member; counts at once */
  set_member_role: {
    arguments: { member: Uuid; role: string };
    result: null;
  };
  /** says in which language an agent's calls are: a text search configuration such as english */
  set_search_config: {
    arguments: { agent_id: Uuid; config: string };
    result: null;
  };
  /** administrators only: makes another person a user, manager or admin */
  set_user_role: {
    arguments: { user_id: Uuid; role: UserRole };
    result: null;
  };
  /** a session with its tokens, or the status that says why not; unknown users are answered like known ones */
  sign_in: {
    arguments: { email: string; password: string; totp?: string | null; client_ip?: string | null; user_agent?: string | null; device_token?: string | null };
    result: SignInResult;
  };
  /** the second half of a sign-in: a code of the authenticator or a recovery code */
  sign_in_mfa: {
    arguments: { mfa_ticket: string; code: string; client_ip?: string | null };
    result: SignInResult;
  };
  /** asks for an account, which is good once vrm.confirm_sign_up() has proved the address; answers the same for all */
  sign_up: {
    arguments: { email: string; password: string; full_name?: string | null; client_ip?: string | null };
    result: Uuid;
  };
  /** queues a call for each case and repeat on a version of an agent; without cases, as the suite says */
  start_suite: {
    arguments: { cases: Uuid[]; agent_id: Uuid; version?: number | null; repeats?: number | null; suite?: Uuid | null; time_limit?: number | null };
    result: Uuid;
  };
  /** a call of one of the caller's agents begins; returns its id */
  start_test_run: {
    arguments: { agent_id: Uuid; test_case_ids?: Uuid[] | null; time_limit?: number | null; outbound_call_params?: Json | null };
    result: Uuid;
  };
  /** the caller's calls between each edge and the next as statistics, in several parts, of each agent or together */
  statistics_between: {
    arguments: { edges: Timestamp[]; agents?: Uuid[] | null; together?: boolean | null };
    result: StatisticsBetweenRow[];
  };
  /** the caller's calls of a time as statistics, of each agent or several together, for vrm.rollup() to add up */
  statistics_by_agent: {
    arguments: { since: Timestamp; until: Timestamp; agents?: Uuid[] | null; together?: boolean | null };
    result: StatisticsByAgentRow[];
  };
  /** the caller's calls between each edge and the next as statistics, in several parts, for vrm.rollup() to add up */
  statistics_by_bucket: {
    arguments: { edges: Timestamp[]; agents?: Uuid[] | null };
    result: StatisticsByBucketRow[];
  };
  /** keeps the caller's key for a service, sealed; pass it as a parameter, never as a literal */
  store_api_key: {
    arguments: { service: string; key: string; description?: string | null };
    result: Uuid;
  };
  /** whether a run of a suite is good enough: all calls judged, thresholds met, no case worse than before */
  suite_gate: {
    arguments: { suite_run: Uuid };
    result: SuiteGateRow;
  };
  /** a run of a suite as JUnit XML, for CI systems: a test for each case, and one for the gate */
  suite_junit: {
    arguments: { suite_run: Uuid };
    result: string;
  };
  /** a run of a suite of the caller: one row per case, and one of all cases, which has the means of theirs */
  suite_report: {
    arguments: { suite_run: Uuid; k?: number | null };
    result: SuiteReportRow[];
  };
  /** role in the organisation that the caller acts for: viewer, member, manager or admin; NULL for themselves */
  team_role: {
    arguments: {};
    result: string;
  };
  /** service and administrators: tokens with that subject are nobody's from now on; false when they were before */
  unlink_identity: {
    arguments: { issuer: string; subject: string };
    result: boolean;
  };
  /** administrators only: forgets the failures of an address and every lock; false when there were none */
  unlock_account: {
    arguments: { identifier: string; reason?: string | null };
    result: boolean;
  };
  /** the caller's agents and calls in one row; success_rate is completed / (completed + failed) */
  user_dashboard: {
    arguments: {};
    result: UserDashboardRow;
  };
  /** whether the token would be taken */
  verify_password_reset: {
    arguments: { token: string };
    result: boolean;
  };
  /** version of the module that is loaded */
  version: {
    arguments: {};
    result: string;
  };
  /** how the cases of suites have gone on each version of one of the caller's agents */
  version_matrix: {
    arguments: { agent_id: Uuid };
    result: VersionMatrixRow[];
  };
}

export const traits: Record<keyof Functions, Trait> = {
  accept: 'once',
  account_problem: 'reads',
  act_as: 'plain',
  actor: 'reads',
  agent_diff: 'reads',
  agent_findings: 'reads',
  agent_performance: 'reads',
  amend_test_run: 'once',
  append_transcript: 'once',
  append_turns: 'once',
  begin_test_run: 'once',
  call_history: 'reads',
  call_series: 'reads',
  call_statistics: 'reads',
  call_summary: 'reads',
  cancel_suite: 'once',
  cancel_test_run: 'once',
  change_email: 'plain',
  change_password: 'plain',
  claim_test_run: 'plain',
  compare_suite_runs: 'reads',
  compare_versions: 'reads',
  compare_versions_in_all: 'reads',
  complete_test_run: 'once',
  confirm_email_change: 'once',
  confirm_sign_up: 'plain',
  consume_password_reset: 'plain',
  count_cached_result: 'once',
  create_agent: 'once',
  create_organisation: 'once',
  dashboard: 'plain',
  delete_account: 'once',
  delete_agent: 'once',
  delete_api_key: 'once',
  delete_test_run: 'once',
  erase_customer: 'once',
  erase_user: 'once',
  export_customer: 'plain',
  export_user_data: 'plain',
  extend_lease: 'plain',
  fail_test_run: 'once',
  failure_reasons: 'reads',
  follow_events: 'reads',
  forget_cached_results: 'once',
  hand_over_agent: 'once',
  import_call: 'once',
  invitations: 'reads',
  invite: 'plain',
  judge_agreement: 'reads',
  jwks: 'reads',
  leave: 'once',
  link_identity: 'once',
  linked_identities: 'reads',
  list_api_keys: 'reads',
  live_calls: 'reads',
  lock_account: 'once',
  log: 'once',
  make_test_case: 'once',
  may_act: 'reads',
  may_write: 'reads',
  member_activity: 'reads',
  members: 'reads',
  metric_summary: 'reads',
  mfa_confirm: 'once',
  mfa_disable: 'once',
  mfa_enrol: 'plain',
  mfa_recovery_codes: 'plain',
  organisations: 'reads',
  record_action: 'once',
  record_metric_result: 'once',
  record_verdict: 'once',
  recording_key: 'reads',
  recover_account: 'once',
  recover_own_account: 'plain',
  register_recording: 'once',
  remove_member: 'once',
  replace_api_key: 'plain',
  request_account_recovery: 'once',
  request_password_reset: 'once',
  restore_agent_version: 'once',
  revoke_invitation: 'once',
  search_calls: 'reads',
  session_act_as: 'plain',
  session_refresh: 'plain',
  session_revoke: 'once',
  session_revoke_all: 'once',
  session_step_up: 'plain',
  set_member_role: 'once',
  set_search_config: 'once',
  set_user_role: 'once',
  sign_in: 'plain',
  sign_in_mfa: 'plain',
  sign_up: 'plain',
  start_suite: 'once',
  start_test_run: 'once',
  statistics_between: 'reads',
  statistics_by_agent: 'reads',
  statistics_by_bucket: 'reads',
  store_api_key: 'plain',
  suite_gate: 'reads',
  suite_junit: 'reads',
  suite_report: 'reads',
  team_role: 'reads',
  unlink_identity: 'once',
  unlock_account: 'once',
  user_dashboard: 'reads',
  verify_password_reset: 'reads',
  version: 'reads',
  version_matrix: 'reads',
};
