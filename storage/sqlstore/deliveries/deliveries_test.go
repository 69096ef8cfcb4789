package deliveries_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

const (
	workers = 3
	limit   = time.Hour // of a process, far beyond what it needs
)

// A run is mails on their way through workers and servers.
type run struct {
	*outbox
	t       *testing.T
	postfix *smtptest.Postfix // nil for none
	faulty  *smtptest.Server
	faults  *faults // of faulty
	task    task
	running []*processtest.Process
	kills   int
}

func newRun(t *testing.T, engine string, seed uint64, withPostfix bool, mutant string) *run {
	t.Helper()
	certificate := smtptest.NewCertificate(t)
	f := &faults{random: rand.New(rand.NewPCG(seed, 1))}
	r := &run{t: t, faults: f}
	r.faulty = smtptest.Start(t, smtptest.Options{STARTTLS: certificate.Server, Username: username, Password: password, Answer: f.answer})
	database := servertest.Fresh(t, engine)
	r.task = task{Database: database, Faulty: r.faulty.Address, Chain: certificate.Chain, Mutant: mutant}
	if withPostfix {
		r.postfix = smtptest.StartPostfix(t, certificate)
		r.task.Postfix = r.postfix.Address
	}
	r.outbox = newOutbox(t, database, rand.New(rand.NewPCG(seed, 2)))
	for range workers {
		r.running = append(r.running, processtest.Start(t, limit, r.task))
	}
	return r
}

// kill kills one of the workers, wherever it is, and starts another.
func (r *run) kill(random *rand.Rand) {
	r.t.Helper()
	place := random.IntN(workers)
	r.running[place].Kill()
	r.kills++
	r.running[place] = processtest.Start(r.t, limit, r.task)
}

// settle waits until no mail is queued, and kills workers until a tenth is left: some at once, and more as long as mails
// get ahead between the kills, which on a busy machine takes a while. Then it ends the workers.
func (r *run) settle(seed uint64, kills bool) {
	r.t.Helper()
	random := rand.New(rand.NewPCG(seed, 3))
	patience := 2*time.Minute + time.Duration(len(r.mails))*50*time.Millisecond
	before := len(r.mails) // queued at the latest kill
	for deadline := time.Now().Add(patience); ; {
		queued := r.queued()
		if queued == 0 {
			break
		}
		require.True(r.t, time.Now().Before(deadline), "%d mails are still queued after %s", queued, patience)
		if kills && (r.kills < workers || queued > len(r.mails)/10 && queued < before) {
			before = queued
			r.kill(random)
		}
		time.Sleep(200*time.Millisecond + time.Duration(random.Int64N(int64(500*time.Millisecond))))
	}
	for _, worker := range r.running {
		require.NoError(r.t, worker.Close())
	}
	for _, worker := range r.running {
		require.NoError(r.t, worker.Wait())
	}
}

// judge returns what is wrong in the end, and how many deliveries there were, and how many of them were repeats.
func (r *run) judge() (problems []string, deliveries, repeats int) {
	r.t.Helper()
	taken := r.faulty.Deliveries()
	if r.postfix != nil {
		taken = append(taken, r.postfix.Deliveries(r.t)...)
	}
	problems, repeats = judge(r.mails, readDeliveries(r.t, taken), r.states())
	return problems, len(taken), repeats
}

// TestDeliveries has three processes send mails while servers fail and processes are killed: every committed mail that
// stays due is delivered, none that was rolled back or cancelled in time is, and repeats say that they are.
func TestDeliveries(t *testing.T) {
	mails := 300
	if processtest.Soaking() {
		mails = 10_000
	}
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			seed := processtest.Seed(t)
			t.Logf("ROSTER_SEED=%d", seed)
			begun := time.Now()
			r := newRun(t, engine, seed, true, "")
			r.enqueue(mails)
			r.settle(seed, true)
			problems, deliveries, repeats := r.judge()
			require.Empty(t, problems)
			require.GreaterOrEqual(t, r.kills, workers)
			drops, refusals, pauses := r.faults.drops.Load(), r.faults.refusals.Load(), r.faults.pauses.Load()
			require.Positive(t, min(drops, refusals, pauses))
			t.Logf("report: %d mails in %.0f s: %d due, %d rolled back, %d cancelled before they were due, %d at any time, %d refused for good; "+
				"%d workers killed, %d connections dropped, %d refusals for now, %d late answers; %d deliveries, %d of them repeats",
				len(r.mails), time.Since(begun).Seconds(), count(r.mails, due), count(r.mails, undone), count(r.mails, cancelled),
				count(r.mails, raced), count(r.mails, gone)+count(r.mails, spam), r.kills, drops, refusals, pauses, deliveries, repeats)
		})
	}
}

// TestMutants shows that workers which are wrong are found.
func TestMutants(t *testing.T) {
	for mutant, want := range mutants {
		t.Run(mutant, func(t *testing.T) {
			seed := processtest.Seed(t)
			t.Logf("ROSTER_SEED=%d", seed)
			r := newRun(t, "sqlite", seed, false, mutant)
			r.enqueue(150)
			r.settle(seed, false)
			problems, _, _ := r.judge()
			require.Contains(t, strings.Join(problems, "\n"), want)
		})
	}
}
