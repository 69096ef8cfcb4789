package access

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The event of the golden vector has every part that is hashed, and texts that JSON escapes.
var vectorEvent = Event{
	ID: "0197a5b0-7e3c-7000-8000-000000000001", Account: "acme", Version: 7,
	Time: time.Date(2026, 3, 1, 12, 30, 15, 123456000, time.UTC), Kind: EventMemberPermissions,
	Actor: Actor{Kind: ActorStaff, ID: "desk-7", OnBehalf: "ann", Reason: `asked <on> the "phone" & again`, Silent: true,
		Request: "r-1", IP: "192.0.2.1"},
	Target: Target{Kind: TargetUser, ID: "bob", Name: "Bob Ä", Before: map[string]string{"label": "old"},
		After: map[string]string{"label": "new", "a": ""}},
	Before: Facts{Permissions: 5, Status: "active", Expires: time.Date(2026, 4, 1, 0, 0, 0, 1000, time.UTC)},
	After:  Facts{Permissions: All, Domains: []string{"b.example", "a.example"}, Seats: 3, Generation: 2},
}

var vectorSalts = [2][32]byte{{1, 2, 3}, {31: 9}}

// documentedHash computes the hash of a record as DESIGN and Record.hash word it, in other ways than the code does.
func documentedHash(previous Digest, r Record) Digest {
	var b bytes.Buffer
	number := func(n any) { _ = binary.Write(&b, binary.BigEndian, n) }
	text := func(s []byte) { number(int64(len(s))); b.Write(s) }
	b.Write(previous[:])
	text([]byte(r.Account))
	number(r.Version)
	number(int64(r.Index))
	number(r.Time.Unix()*1_000_000 + int64(r.Time.Nanosecond())/1000)
	text([]byte(r.Kind))
	text(r.Public)
	for _, part := range []Part{r.Actor, r.Target} {
		b.Write(part.Commitment[:])
	}
	return sha256.Sum256(b.Bytes())
}

// TestRecordIsTheGoldenVector: what is hashed is stored for ever, so this file is never written again.
func TestRecordIsTheGoldenVector(t *testing.T) {
	r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	first := r.Seal(Head{}, 0)
	second := r.Seal(first, 1)
	require.Equal(t, uint64(1), first.Count)
	require.Equal(t, uint64(2), second.Count)
	got := strings.Join([]string{
		"public " + string(r.Public), "actor " + string(r.Actor.Text), "target " + string(r.Target.Text),
		"actor commitment " + r.Actor.Commitment.String(), "target commitment " + r.Target.Commitment.String(),
		"first hash " + first.Hash.String(), "second hash " + second.Hash.String(), "",
	}, "\n")
	want, err := os.ReadFile("testdata/record.golden")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestRecordIsSealedAsDocumented(t *testing.T) {
	r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	require.Equal(t, UserID(""), r.By, "staff is no user")
	require.Equal(t, UserID("ann"), r.For)
	require.Equal(t, TargetUser, r.TargetKind)
	require.Equal(t, "bob", r.TargetID)
	require.Equal(t, vectorEvent.Account.Shard(), r.Shard)

	commitment := func(salt [32]byte, text []byte) Digest { return sha256.Sum256(append(salt[:], text...)) }
	require.Equal(t, commitment(vectorSalts[0], r.Actor.Text), r.Actor.Commitment)
	require.Equal(t, commitment(vectorSalts[1], r.Target.Text), r.Target.Commitment)

	head := Head{Count: 41, Hash: Digest{1, 2, 3}}
	after := r.Seal(head, 3)
	require.Equal(t, 3, r.Index)
	require.Equal(t, documentedHash(head.Hash, r), r.Hash)
	require.Equal(t, Head{Count: 42, Hash: r.Hash}, after)
}

func TestEveryHashedFieldMatters(t *testing.T) {
	r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	head := Head{Hash: Digest{7}}
	before := r.Seal(head, 1).Hash
	changes := map[string]func(*Record, *Head){
		"the previous hash":  func(_ *Record, h *Head) { h.Hash[31]++ },
		"account":            func(r *Record, _ *Head) { r.Account = "acmf" },
		"account and kind":   func(r *Record, _ *Head) { r.Account, r.Kind = r.Account+"m", r.Kind[1:] },
		"version":            func(r *Record, _ *Head) { r.Version++ },
		"index":              func(r *Record, _ *Head) { r.Index++ },
		"version and index":  func(r *Record, _ *Head) { r.Version, r.Index = uint64(r.Index), int(r.Version) },
		"a microsecond":      func(r *Record, _ *Head) { r.Time = r.Time.Add(time.Microsecond) },
		"kind":               func(r *Record, _ *Head) { r.Kind = EventMemberExpiry },
		"public part":        func(r *Record, _ *Head) { r.Public = append(r.Public, ' ') },
		"kind and public":    func(r *Record, _ *Head) { r.Kind, r.Public = r.Kind+"{", r.Public[1:] },
		"actor's commitment": func(r *Record, _ *Head) { r.Actor.Commitment[0]++ },
		"target's":           func(r *Record, _ *Head) { r.Target.Commitment[31]++ },
		"both exchanged":     func(r *Record, _ *Head) { r.Actor, r.Target = r.Target, r.Actor },
	}
	for name, change := range changes {
		changed, h := r, head
		changed.Public = bytes.Clone(r.Public)
		change(&changed, &h)
		require.NotEqual(t, before, changed.Seal(h, changed.Index).Hash, name)
	}
}

func TestHashIsOfTheInstantNotTheZone(t *testing.T) {
	r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	before := r.Seal(Head{}, 0)
	r.Time = r.Time.In(time.FixedZone("", -5*3600))
	require.Equal(t, before, r.Seal(Head{}, 0))
}

func TestForgettingKeepsTheChain(t *testing.T) {
	r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	before := r.Seal(Head{}, 0)
	withoutTarget := r
	withoutTarget.Target.Salt, withoutTarget.Target.Text = nil, nil
	e, err := withoutTarget.Event()
	require.NoError(t, err)
	require.True(t, e.Redacted, "one part is enough")

	r.Actor.Salt, r.Actor.Text, r.By, r.For = nil, nil, "", ""
	require.Equal(t, before, r.Seal(Head{}, 0))
	e, err = r.Event()
	require.NoError(t, err)
	require.True(t, e.Redacted)
	require.Zero(t, e.Actor)
	require.Equal(t, vectorEvent.Target, e.Target)

	r.Target.Salt, r.Target.Text, r.TargetKind, r.TargetID = nil, nil, "", ""
	require.Equal(t, before, r.Seal(Head{}, 0))
	e, err = r.Event()
	require.NoError(t, err)
	require.True(t, e.Redacted)
	require.Zero(t, e.Target)
	require.Empty(t, cmp.Diff(vectorEvent.Before, e.Before), "what is public stays")
	require.Empty(t, cmp.Diff(vectorEvent.After, e.After))
}

// TestCommitmentHidesWhatItCommitsTo: the same person has another commitment in each record, by its salt.
func TestCommitmentHidesWhatItCommitsTo(t *testing.T) {
	first, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	second, err := newRecord(vectorEvent, vectorSalts[1], vectorSalts[0])
	require.NoError(t, err)
	require.Equal(t, first.Actor.Text, second.Actor.Text)
	require.NotEqual(t, first.Actor.Commitment, second.Actor.Commitment)
	require.NotEqual(t, first.Target.Commitment, second.Target.Commitment)
}

func TestPublicPartIsNotPersonal(t *testing.T) {
	r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
	require.NoError(t, err)
	for _, personal := range []string{"ann", "bob", "Bob", "desk-7", "phone", "192.0.2.1", "r-1", "old", "new"} {
		require.NotContains(t, string(r.Public), personal)
	}
}

func TestBrokenRecordIsNoEvent(t *testing.T) {
	for name, spoil := range map[string]func(*Record){
		"public": func(r *Record) { r.Public = []byte("{") },
		"bits":   func(r *Record) { r.Public = []byte(`{"before":{"permissions":"-1"}}`) },
		"actor":  func(r *Record) { r.Actor.Text = []byte("x") },
		"target": func(r *Record) { r.Target.Text = []byte{} },
	} {
		r, err := newRecord(vectorEvent, vectorSalts[0], vectorSalts[1])
		require.NoError(t, err)
		spoil(&r)
		e, err := r.Event()
		require.Error(t, err, name)
		require.Zero(t, e, name)
	}
}

func TestRecordRefusesBit63(t *testing.T) {
	_, err := newRecord(Event{After: Facts{Permissions: 1 << 63}}, vectorSalts[0], vectorSalts[1])
	require.ErrorIs(t, err, ErrInvalid)
}

func TestEventsSurviveTheRecord(t *testing.T) {
	text := rapid.StringN(0, 12, 40)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(-1e15, 1e17).Draw(t, "microseconds")).UTC()
	})
	values := rapid.Custom(func(t *rapid.T) map[string]string {
		if m := rapid.MapOfN(text, text, 0, 3).Draw(t, "map"); len(m) > 0 {
			return m
		}
		return nil
	})
	list := rapid.Custom(func(t *rapid.T) []string {
		if l := rapid.SliceOfN(text, 0, 3).Draw(t, "list"); len(l) > 0 {
			return l
		}
		return nil
	})
	set := rapid.Custom(func(t *rapid.T) Permission {
		return Permission(rapid.Uint64Max(uint64(All)).Draw(t, "set"))
	})
	facts := rapid.Custom(func(t *rapid.T) Facts {
		return Facts{Permissions: set.Draw(t, "permissions"), Status: text.Draw(t, "status"), Starts: instant.Draw(t, "starts"),
			Expires: instant.Draw(t, "expires"), Categories: set.Draw(t, "categories"), Seats: rapid.Int().Draw(t, "seats"),
			Domains: list.Draw(t, "domains"), Fields: list.Draw(t, "fields"), Generation: rapid.Uint16().Draw(t, "generation")}
	})
	rapid.Check(t, func(t *rapid.T) {
		e := Event{ID: EventID(text.Draw(t, "id")), Account: AccountID(text.Draw(t, "account")), Version: rapid.Uint64().Draw(t, "version"),
			Time: instant.Draw(t, "time"), Kind: EventKind(text.Draw(t, "kind")),
			Actor: Actor{Kind: ActorKind(rapid.Uint8Range(0, 3).Draw(t, "actor")), ID: text.Draw(t, "actor id"),
				OnBehalf: UserID(text.Draw(t, "on behalf")), Reason: text.Draw(t, "reason"), Silent: rapid.Bool().Draw(t, "silent"),
				Request: text.Draw(t, "request"), IP: text.Draw(t, "ip")},
			Target: Target{Kind: TargetKind(text.Draw(t, "target")), ID: text.Draw(t, "target id"), Name: text.Draw(t, "name"),
				Before: values.Draw(t, "before"), After: values.Draw(t, "after")},
			Before: facts.Draw(t, "facts before"), After: facts.Draw(t, "facts after")}
		r, err := newRecord(e, vectorSalts[0], vectorSalts[1])
		if err != nil {
			t.Fatalf("%v", err)
		}
		previous := Head{Count: rapid.Uint64Max(1<<40).Draw(t, "count"), Hash: Digest{rapid.Byte().Draw(t, "hash")}}
		e.Index = rapid.IntRange(0, 1<<20).Draw(t, "index")
		e.Hash = documentedHash(previous.Hash, Record{Account: e.Account, Version: e.Version, Index: e.Index, Time: e.Time, Kind: e.Kind,
			Public: r.Public, Actor: r.Actor, Target: r.Target})
		if head := r.Seal(previous, e.Index); head != (Head{previous.Count + 1, e.Hash}) {
			t.Fatalf("sealed as %v", head)
		}
		got, err := r.Event()
		if diff := cmp.Diff(e, got); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func TestShardIsOfTheAccount(t *testing.T) {
	used := map[int]bool{}
	for i := range 2000 {
		id := AccountID(strings.Repeat("a", i%100+1) + string(rune('a'+i%26)))
		sum := sha256.Sum256([]byte(id))
		require.Equal(t, int(sum[0])&63, id.Shard())
		used[id.Shard()] = true
	}
	require.Greater(t, len(used), Shards/2)
	require.Equal(t, 64, Shards, "numbers of the feed are stored by shard")
}

func TestDigestIsShownInHexadecimal(t *testing.T) {
	require.Equal(t, "00ff"+strings.Repeat("0", 60), Digest{0, 0xff}.String())
}

// TestFactsLeaveOutWhatIsNotSet keeps lines short: what an event isn't about isn't in it.
func TestFactsLeaveOutWhatIsNotSet(t *testing.T) {
	text, err := json.Marshal(Facts{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(text))
}
