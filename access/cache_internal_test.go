package access

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSipHash compares with vectors of SipHash-1-3 with 128 bits, as the implementations in Rust have them. Their key is
// 00, 01, ... 0f; their inputs are nothing, 00, 00 01, and so on.
func TestSipHash(t *testing.T) {
	key := sipKeyOf(0x0706050403020100, 0x0f0e0d0c0b0a0908)
	for input, want := range map[string]string{
		"":                                 "e77ebcb22788a5befd62db6add303001",
		"\x00":                             "fc6f370460d3eda85e0573cc2b2ff063",
		"\x00\x01":                         "75787f090569839b855bc9548c6aea95",
		"\x00\x01\x02\x03\x04\x05\x06":     "1084b923f2aae0c3a62f2ec80848ab77",
		"\x00\x01\x02\x03\x04\x05\x06\x07": "aa12fee1d5e3dab4724f16ab35f9c799",
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09": "4faa541d5d498e89ba0ea4c387b22fb4",
	} {
		hash, err := hex.DecodeString(want)
		require.NoError(t, err)
		const counter = 77
		require.Equal(t, fingerprint{
			high: binary.LittleEndian.Uint64(hash) | 1,
			low:  binary.LittleEndian.Uint64(hash[8:])&^counterMask | counter,
		}, sip(key).text(input).finish(endOfTexts, counter), "of %q", input)
	}
}

// dashes are where a UUID has them.
var dashes = []int{8, 13, 18, 23}

// TestPairsAreTakenInByWords compares with what is taken in word by word: pairs of UUIDs have a way of their own.
func TestPairsAreTakenInByWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) (text []byte, dashed bool) {
			n := rapid.OneOf(rapid.Just(36), rapid.IntRange(0, 300)).Draw(t, "length of the "+name)
			text = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, name)
			if n != 36 {
				return text, false
			}
			for _, i := range dashes {
				text[i] = '-'
			}
			at := rapid.IntRange(-1, 35).Draw(t, "where it is changed")
			if at >= 0 {
				text[at]++
			}
			return text, !slices.Contains(dashes, at)
		}
		account, accountDashed := text("account")
		user, userDashed := text("user")
		key := sipKeyOf(rapid.Uint64().Draw(t, "k0"), rapid.Uint64().Draw(t, "k1"))
		var words []byte
		end := uint64(endOfTexts)
		if accountDashed && userDashed {
			for _, text := range [][]byte{account, user} {
				words = slices.Concat(words, text[:8], text[9:13], text[14:18], text[19:23], text[24:])
			}
			end = endOfUUIDs
		} else {
			for _, text := range [][]byte{account, user} {
				words = append(append(words, text...), make([]byte, 8-len(text)%8)...)
				words[len(words)-1] = byte(len(text))
			}
		}
		want := sip(key)
		for word := range slices.Chunk(words, 8) {
			want = want.word(binary.LittleEndian.Uint64(word))
		}
		counter := key.counterOf(AccountID(account))
		require.Less(t, counter, uint64(counters))
		require.Equal(t, want.finish(end, counter), key.of(UserID(user), AccountID(account)))
	})
}

// TestFingerprintsTellPairsApart is about ids that are alike when they are joined, padded or cut.
func TestFingerprintsTellPairsApart(t *testing.T) {
	key := sipKeyOf(1, 2)
	parts := []string{"", "a", "b", "ab", "aa", "a\x00", "\x00a", "\x00", "\x00\x00", "$$", "a$$b", "12345678", "12345678\x00", "1234567",
		strings.Repeat("x", 36), strings.Repeat("x", 37), strings.Repeat("x", MaxIDBytes), strings.Repeat("x", 256+36), "\x01\x00\x00\x00\x00\x00\x00\x00a"}
	const uuid = "0197a5b0-7e3c-7000-8000-000000000000"
	parts = append(parts, uuid)
	for i := range len(uuid) { // dashes too: each byte counts
		parts = append(parts, uuid[:i]+"x"+uuid[i+1:])
	}
	seen := make(map[fingerprint][2]string)
	for _, user := range parts {
		for _, account := range parts {
			pair := key.of(UserID(user), AccountID(account))
			before, taken := seen[pair]
			require.False(t, taken, "%q and %q", before, [2]string{user, account})
			seen[pair] = [2]string{user, account}
			require.Equal(t, key.counterOf(AccountID(account)), pair.low%counters)
			require.EqualValues(t, 1, pair.high%2, "it isn't 0")
		}
	}
	require.NotEqual(t, key.of("a", "b"), new(sipKeyOf(1, 3)).of("a", "b"), "the key doesn't matter")
	// The same eight words, as texts of 31 bytes with their lengths and as a pair of UUIDs.
	const user, account = "0123456789abcdef0123456789abcde", "fedcba9876543210fedcba987654321"
	texts := key.of(user, account)
	uuids := key.of("01234567-89ab-cdef-0123-456789abcde\x1f", "fedcba98-7654-3210-fedc-ba987654321\x1f")
	require.NotEqual(t, texts.high, uuids.high)
}

// newTable returns a table for so many answers.
func newTable(key sipKey, entries int) *table {
	t := new(table)
	t.prepare(key, entries)
	return t
}

// TestTableEqualsTheModel keeps, finds and expires at random. What the table has forgotten it may have: it never tells
// what isn't so.
func TestTableEqualsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newTable(sipKeyOf(3, 4), 2048)
		users := []UserID{"ann", "bob", "cem", "dan"}
		accounts := []AccountID{"acme", "globex", "initech"}
		type key struct {
			user    UserID
			account AccountID
		}
		model := make(map[key]answer)
		kept := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := key{rapid.SampledFrom(users).Draw(t, "user"), rapid.SampledFrom(accounts).Draw(t, "account")}
			place := table.place(k.user, k.account)
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				table.expire(k.account)
				for other := range model {
					if other.account == k.account {
						delete(model, other)
					}
				}
			case 1:
				if rapid.IntRange(0, 9).Draw(t, "all") == 0 {
					table.expireAll()
					clear(model)
				}
			case 2: // read before, kept after a change
				epoch := table.epoch(place).Load()
				table.expire(k.account)
				table.keep(place, epoch, answer{bits: All})
				for other := range model {
					if other.account == k.account {
						delete(model, other)
					}
				}
			case 3:
				table.fit()
			default:
				a := answer{bits: Permission(rapid.Uint64Range(0, uint64(All)).Draw(t, "bits")), until: rapid.Uint32().Draw(t, "until"),
					kind: kind(rapid.IntRange(0, 3).Draw(t, "kind")), version: rapid.Uint64Range(0, maxVersion).Draw(t, "version"),
					read: rapid.Uint32().Draw(t, "read")}
				table.keep(place, table.epoch(place).Load(), a)
				model[k] = a
				kept++
			}
			for _, user := range users {
				for _, account := range accounts {
					place := table.place(user, account)
					want, there := model[key{user, account}]
					bits, until, ok := table.find(place)
					require.Equal(t, there, ok)
					told, ok := table.tell(place)
					require.Equal(t, there, ok)
					if there {
						require.Equal(t, want, told)
						require.Equal(t, want.bits, bits)
						require.Equal(t, want.until, until)
					}
				}
			}
		}
	})
}

// TestFullTable fills a table many times over: what is found is right, and it doesn't grow.
func TestFullTable(t *testing.T) {
	const entries = 3000
	table := newTable(sipKeyOf(5, 6), entries)
	random := uint64(1)
	for range 100_000 {
		random = random*6364136223846793005 + 1442695040888963407
		n := random >> 40 % 20_000
		user := UserID(binary.LittleEndian.AppendUint64(nil, n))
		place := table.place(user, "acme")
		if bits, _, ok := table.find(place); ok {
			require.EqualValues(t, n, bits)
		}
		table.keep(place, table.epoch(place).Load(), answer{bits: Permission(n)})
		bits, _, ok := table.find(place)
		require.True(t, ok)
		require.EqualValues(t, n, bits)
	}
	used, slots := 0, 0
	for i := range table.shards {
		used += table.shards[i].used
		slots += table.shards[i].slots.Load().len()
	}
	require.Greater(t, used, entries/2)
	require.Less(t, slots, 3*(entries*3/2+256*7))
}

// TestTableHoldsItsEntries keeps as many answers as a table is for, once each, as Preload does: hardly any is dropped.
func TestTableHoldsItsEntries(t *testing.T) {
	const entries = 100_000
	table := newTable(sipKeyOf(7, 8), entries)
	table.loading.Store(true)
	places := make([]place, entries)
	for i := range places {
		places[i] = table.place(UserID(strconv.Itoa(i)), "acme")
		table.keep(places[i], table.epoch(places[i]).Load(), answer{bits: 1})
	}
	found, slots := 0, 0
	for _, place := range places {
		if _, _, ok := table.find(place); ok {
			found++
		}
	}
	for i := range table.shards {
		slots += table.shards[i].slots.Load().len()
	}
	require.Greater(t, found, entries*99/100)
	require.Less(t, slots*int(unsafe.Sizeof(slot{})+unsafe.Sizeof(detail{})), entries*52)
}

// TestFitIsBounded fits a full table: it has no more room than before.
func TestFitIsBounded(t *testing.T) {
	table := newTable(sipKeyOf(11, 12), 20_000)
	for i := range 40_000 {
		p := table.place(UserID(strconv.Itoa(i)), "acme")
		s := &table.shards[p.pair.high>>(64-shardBits)]
		if kept := s.slots.Load(); kept != nil && kept.room >= s.limit && s.used == kept.room {
			continue // or a part of what it has would go
		}
		table.keep(p, table.epoch(p).Load(), answer{bits: 1})
	}
	room := func() (all int) {
		for i := range table.shards {
			all += table.shards[i].slots.Load().room
		}
		return all
	}
	before := room()
	table.fit()
	require.LessOrEqual(t, room(), before)
}

// TestFit has tables that may have many more answers than they have: afterwards each takes as little as if they were full.
func TestFit(t *testing.T) {
	for i, entries := range []int{20_000, 25_000, 31_000, 39_000, 49_000} { // as far as one growth brings
		table := newTable(sipKeyOf(9, 10), 1_000_000)
		table.loading.Store(i%2 == 0)
		places := make([]place, entries)
		for i := range places {
			places[i] = table.place(UserID(strconv.Itoa(i)), "acme")
			table.keep(places[i], table.epoch(places[i]).Load(), answer{bits: Permission(i)})
		}
		table.fit()
		require.False(t, table.loading.Load())
		size := int(unsafe.Sizeof(*table))
		for i := range table.shards {
			s := table.shards[i].slots.Load()
			size += cap(s.answers)*int(unsafe.Sizeof([2]slot{})) + cap(s.details)*int(unsafe.Sizeof([2]detail{}))
		}
		require.Less(t, size-len(table.epochs)*4, entries*48)
		for i, place := range places {
			bits, _, ok := table.find(place)
			require.True(t, ok)
			require.EqualValues(t, i, bits)
		}
	}
}

// TestFingerprintsAreComparedWhole has answers whose fingerprints begin with the same 64 bits.
func TestFingerprintsAreComparedWhole(t *testing.T) {
	table := newTable(sipKeyOf(0, 0), 10)
	places := []place{{fingerprint{high: 1, low: 1 << 20}}, {fingerprint{high: 1, low: 2 << 20}}, {fingerprint{high: 1, low: 3 << 20}}}
	for i, place := range places[:2] {
		table.keep(place, table.epoch(place).Load(), answer{bits: 1 << i})
	}
	for i, place := range places[:2] {
		told, ok := table.tell(place)
		require.True(t, ok)
		require.EqualValues(t, 1<<i, told.bits)
	}
	bits, _, ok := table.find(places[0])
	require.True(t, ok)
	require.EqualValues(t, 1, bits)
	_, _, ok = table.find(places[1])
	require.False(t, ok, "it is asked for again")
	_, _, ok = table.find(places[2])
	require.False(t, ok)
	_, ok = table.tell(places[2])
	require.False(t, ok)
}

// TestSearchWhileSlotsAreReplaced begins to search where the answer would be among more slots or fewer.
func TestSearchWhileSlotsAreReplaced(t *testing.T) {
	table := newTable(sipKeyOf(0, 0), 1000)
	for i := range 500 {
		place := table.place(UserID(strconv.Itoa(i)), "acme")
		table.keep(place, table.epoch(place).Load(), answer{bits: Permission(i)})
	}
	for i := range table.shards {
		shard := &table.shards[i]
		there := shard.twos.Load()
		for _, twos := range []uint64{0, 1, there / 2, there - 1, there + 1, 2 * there, 1 << 40} {
			shard.twos.Store(twos)
			for i := range 500 {
				if bits, _, ok := table.find(table.place(UserID(strconv.Itoa(i)), "acme")); ok {
					require.EqualValues(t, i, bits)
				}
			}
		}
		shard.twos.Store(there)
	}
}

func TestEpochsHaveNoZero(t *testing.T) {
	table := newTable(sipKeyOf(0, 0), 10)
	place := table.place("ann", "acme")
	table.epoch(place).Store(1<<32 - 1)
	table.keep(place, 1<<32-1, answer{bits: 1})
	table.expire("acme")
	require.EqualValues(t, 1, table.epoch(place).Load())
	_, _, ok := table.find(place)
	require.False(t, ok)
}

// TestAnswersAreWhole reads an answer while it is written again and again.
func TestAnswersAreWhole(t *testing.T) {
	table := newTable(sipKeyOf(1, 2), 1000)
	p := table.place("ann", "acme")
	epoch := table.epoch(p).Load()
	nth := func(i uint32) answer { // some in a row have the same limit; nothing returns, as a reader may take that for staying
		return answer{bits: Permission(i), until: i / 8, kind: member, version: uint64(i) & maxVersion, read: i}
	}
	var writing sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() {
		for i := uint32(1); ; i++ {
			select {
			case <-stop:
				return
			default:
				table.keep(p, epoch, nth(i))
			}
		}
	})
	mixed := 0
	for range 10_000_000 { // of which some are mixed if they may be
		if a, ok := table.tell(p); ok && a != nth(a.read) {
			mixed++
		}
		if bits, until, ok := table.find(p); ok && uint32(bits)/8 != until {
			mixed++
		}
	}
	close(stop)
	writing.Wait()
	require.Zero(t, mixed)
}

// TestAccountsAreSpread over the counters, however alike their ids are.
func TestAccountsAreSpread(t *testing.T) {
	key := sipKeyOf(1, 2)
	for _, format := range []string{"%d", "acct-%d", "%08x-0000-4000-8000-000000000000", "00000000-0000-4000-8000-%012x"} {
		used := make(map[uint64]int)
		fullest := 0
		for i := range counters {
			counter := key.counterOf(AccountID(fmt.Sprintf(format, 100_000+i)))
			used[counter]++
			fullest = max(fullest, used[counter])
		}
		require.Greater(t, len(used), 10_200, "by chance it would be 10,357: %s", format)
		require.Less(t, fullest, 12)
	}
}
