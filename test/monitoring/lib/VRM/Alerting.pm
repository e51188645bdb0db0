# postgres_exporter, Prometheus and Alertmanager on loopback, set up by what vrm.exporter_config() and
# vrm.prometheus_rules() say, but quicker; and sessions that are open until told to go.
package VRM::Alerting;
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);
use VRM::Server;

my @programs = qw(prometheus-postgres-exporter prometheus prometheus-alertmanager);

# Programs that the machine lacks.
sub absent {
    return join ', ', grep { my $name = $_; !grep { -x "$_/$name" } split /:/, $ENV{PATH} } @programs;
}

sub new {
    my ($class, $node, $database, $user) = @_;
    my $self = bless { node => $node, database => $database, directory => PostgreSQL::Test::Utils::tempdir(),
        http => HTTP::Tiny->new(timeout => 10), pids => {} }, $class;
    my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(exporter prometheus alertmanager);
    $self->{$_} = "http://127.0.0.1:$port{$_}" for keys %port;
    my $directory = $self->{directory};

    for my $file ([postgres_exporter => 'queries.yml'], [prometheus => 'prometheus.yml'], [alertmanager => 'alertmanager.yml']) {
        my $text = query($node, $database, "SELECT vrm.exporter_config('$file->[0]')");
        $text =~ s/127\.0\.0\.1:9187/127.0.0.1:$port{exporter}/;
        $text =~ s/127\.0\.0\.1:9093/127.0.0.1:$port{alertmanager}/;
        $text =~ s/_interval: 15s/_interval: 1s/g;
        $self->_write($file->[1], $text);
    }
    $self->_write('vrm.rules.yml', query($node, $database, 'SELECT vrm.prometheus_rules()'));

    $ENV{DATA_SOURCE_NAME} = 'host=' . $node->host . ' port=' . $node->port . " user=$user dbname=$database sslmode=disable";
    $self->_launch('prometheus-postgres-exporter', "--web.listen-address=127.0.0.1:$port{exporter}",
        "--extend.query-path=$directory/queries.yml", '--disable-default-metrics', '--disable-settings-metrics');
    $self->_launch('prometheus-alertmanager', "--web.listen-address=127.0.0.1:$port{alertmanager}",
        '--cluster.listen-address=', "--config.file=$directory/alertmanager.yml", "--storage.path=$directory/alertmanager");
    # What is sent while Prometheus reads its configuration anew is lost, until it is sent again.
    $self->_launch('prometheus', '--rules.alert.resend-delay=1s', "--web.listen-address=127.0.0.1:$port{prometheus}",
        "--config.file=$directory/prometheus.yml", "--storage.tsdb.path=$directory/prometheus");
    for my $program (qw(prometheus alertmanager)) {
        $self->eventually(sub { $self->{http}->get("$self->{$program}/-/ready")->{success} }) or die "$program does not answer\n";
    }
    return $self;
}

sub _write {
    my ($self, $name, $text) = @_;
    open(my $file, '>', "$self->{directory}/$name") or die "$name: $!\n";
    print {$file} $text, "\n";
    close($file) or die "$name: $!\n";
    return;
}

sub _launch {
    my ($self, $program, @arguments) = @_;
    my $pid = fork() // die "fork: $!\n";
    if ($pid == 0) {
        open(STDOUT, '>', "$PostgreSQL::Test::Utils::log_path/$program.log") or POSIX::_exit(1);
        open(STDERR, '>&', \*STDOUT) or POSIX::_exit(1);
        exec($program, @arguments) or POSIX::_exit(1);
    }
    $self->{pids}{$program} = $pid;
    return;
}

# Whether a condition comes true within what PostgreSQL's own tests wait.
sub eventually {
    my ($self, $condition) = @_;
    for my $attempt (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default) {
        return 1 if $condition->();
        sleep 0.1;
    }
    return 0;
}

sub _read {
    my ($self, $url) = @_;
    my $answer = $self->{http}->get($url);
    return $answer->{success} ? decode_json($answer->{content}) : {};
}

# The samples that Prometheus has now for an expression.
sub ask {
    my ($self, $expression) = @_;
    my $query = $self->{http}->www_form_urlencode({ query => $expression });
    return @{ $self->_read("$self->{prometheus}/api/v1/query?$query")->{data}{result} // [] };
}

# Waits until a scrape and then an evaluation have begun and ended.
sub evaluated {
    my ($self) = @_;
    for my $clock ('max(timestamp(vrm_connections_limit))', 'max(prometheus_rule_group_last_evaluation_timestamp_seconds)') {
        my $seen = $self->_clock($clock);
        $self->eventually(sub { $self->_clock($clock) > $seen }) or die "Prometheus does nothing\n";
    }
    return;
}

sub _clock {
    my ($self, $clock) = @_;
    if ($clock =~ /rule_group/) {
        my $groups = $self->_read("$self->{prometheus}/api/v1/rules")->{data}{groups} // [];
        my ($time) = ($groups->[0]{lastEvaluation} // '') =~ /T(.*?)(?:Z|[+-])/;
        return 0 unless $time;
        my ($hour, $minute, $second) = split /:/, $time;
        return 3600 * $hour + 60 * $minute + $second;
    }
    my @samples = $self->ask($clock);
    return @samples ? $samples[0]{value}[1] : 0;
}

# Names of the alerts that Alertmanager holds, or that Prometheus would tell it of.
sub firing {
    my ($self) = @_;
    my %names = map { $_->{metric}{alertname} => 1 } $self->ask('ALERTS{alertstate="firing"}');
    $names{$_} = 1 for $self->told;
    return sort keys %names;
}

sub told {
    my ($self) = @_;
    my $alerts = $self->_read("$self->{alertmanager}/api/v2/alerts?active=true");
    return ref $alerts eq 'ARRAY' ? map { $_->{labels}{alertname} } @$alerts : ();
}

sub fires {
    my ($self, $alert) = @_;
    return $self->eventually(sub { scalar grep { $_ eq $alert } $self->told });
}

sub resolves {
    my ($self, $alert) = @_;
    return $self->eventually(sub { !grep { $_ eq $alert } $self->firing });
}

# Prometheus reads the rules that the registry gives now.
sub new_rules {
    my ($self) = @_;
    $self->_write('vrm.rules.yml', query($self->{node}, $self->{database}, 'SELECT vrm.prometheus_rules()'));
    kill 'HUP', $self->{pids}{prometheus};
    return;
}

# A session of its own that runs a statement and then waits.
sub session {
    my ($self, $sql) = @_;
    open(my $psql, '|-', 'psql', '-XAtq', '-o', '/dev/null', '-d', $self->{node}->connstr($self->{database})) or die "psql: $!\n";
    $psql->autoflush(1);
    print {$psql} "$sql;\n";
    return bless { psql => $psql }, 'VRM::Alerting::Session';
}

sub stop {
    my ($self) = @_;
    for my $pid (values %{ $self->{pids} }) {
        kill 'TERM', $pid;
        waitpid($pid, 0);
    }
    $self->{pids} = {};
    return;
}

# Whatever becomes of the test, nothing keeps running.
sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    $self->stop;
    return;
}

package VRM::Alerting::Session;

sub finish {
    my ($self) = @_;
    local $?;
    close($self->{psql});
    return;
}

1;
