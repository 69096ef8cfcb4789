package sqlstore

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// statements are all that this package can send, but for BEGIN, COMMIT and ROLLBACK.
var statements = map[string]string{
	"acknowledgeTicket":      acknowledgeTicket,
	"countLiveInvites":       countLiveInvites,
	"countSeats":             countSeats,
	"countUse":               countUse,
	"deleteContact":          deleteContact,
	"deleteFollowers":        deleteFollowers,
	"deleteLimit":            deleteLimit,
	"deleteMembership":       deleteMembership,
	"deletePreferences":      deletePreferences,
	"delayMessages":          delayMessages,
	"deleteSuppression":      deleteSuppression,
	"deleteUnsubscribed":     deleteUnsubscribed,
	"deleteUses":             deleteUses,
	"deleteVerification":     deleteVerification,
	"drawTicket":             drawTicket,
	"drawTicketAndNotify":    drawTicketAndNotify,
	"drawTicketOnly":         drawTicketOnly,
	"dropUses":               dropUses,
	"findContact":            findContact,
	"findInvite":             findInvite,
	"dropMessages":           dropMessages,
	"endMessages":            endMessages,
	"insertAccount":          insertAccount,
	"insertEvent":            insertEvent,
	"insertFeedback":         insertFeedback,
	"insertFollower":         insertFollower,
	"insertInvite":           insertInvite,
	"insertInLine":           insertInLine,
	"insertMessage":          insertMessage,
	"insertNotice":           insertNotice,
	"leaseMessages":          leaseMessages,
	"lockLimit":              lockLimit,
	"putBackMessages":        putBackMessages,
	"putContact":             putContact,
	"putMembership":          putMembership,
	"putPreference":          putPreference,
	"putSignIn":              putSignIn,
	"putSuppression":         putSuppression,
	"putUnsubscribed":        putUnsubscribed,
	"putUser":                putUser,
	"putVerification":        putVerification,
	"raiseFeed":              raiseFeed,
	"raiseFeedByID":          raiseFeedByID,
	"retryMessages":          retryMessages,
	"revokeInvite":           revokeInvite,
	"sealAccount":            sealAccount,
	"selectAccount":          selectAccount,
	"selectBacklog":          selectBacklog,
	"selectChanges":          selectChanges,
	"selectContact":          selectContact,
	"selectContactByAddress": selectContactByAddress,
	"selectContacts":         selectContacts,
	"selectCreated":          selectCreated,
	"selectDead":             selectDead,
	"selectDeliveries":       selectDeliveries,
	"selectDue":              selectDue,
	"selectEventsAfter":      selectEventsAfter,
	"selectEventsBefore":     selectEventsBefore,
	"selectFeed":             selectFeed,
	"selectFeedback":         selectFeedback,
	"selectFirstTurn":        selectFirstTurn,
	"selectFollowers":        selectFollowers,
	"selectGrant":            selectGrant,
	"selectGranted":          selectGranted,
	"selectGrants":           selectGrants,
	"selectInvite":           selectInvite,
	"selectInvites":          selectInvites,
	"selectKeyUse":           selectKeyUse,
	"selectLeased":           selectLeased,
	"selectMembers":          selectMembers,
	"selectMembersByAddress": selectMembersByAddress,
	"selectMembership":       selectMembership,
	"selectMessage":          selectMessage,
	"selectMessages":         selectMessages,
	"selectNextKey":          selectNextKey,
	"selectNotice":           selectNotice,
	"selectOtherContact":     selectOtherContact,
	"selectPassedLimits":     selectPassedLimits,
	"selectPendingInvite":    selectPendingInvite,
	"selectPosition":         selectPosition,
	"selectPreference":       selectPreference,
	"selectReceivers":        selectReceivers,
	"selectRevocable":        selectRevocable,
	"selectSnapshot":         selectSnapshot,
	"selectSubscribers":      selectSubscribers,
	"selectSuppressed":       selectSuppressed,
	"selectSuppressions":     selectSuppressions,
	"selectTicket":           selectTicket,
	"selectTurns":            selectTurns,
	"selectUnsubscribed":     selectUnsubscribed,
	"selectUser":             selectUser,
	"selectUserAccounts":     selectUserAccounts,
	"selectUsers":            selectUsers,
	"selectVerification":     selectVerification,
	"selectWaitingInvites":   selectWaitingInvites,
	"selectWoken":            selectWoken,
	"sendMessages":           sendMessages,
	"setLease":               setLease,
	"shortenWait":            shortenWait,
	"sumUses":                sumUses,
	"touchMembership":        touchMembership,
	"updateAccount":          updateAccount,
	"updateInvite":           updateInvite,
	"wakeMessages":           wakeMessages,
}

// scans are the statements that read a table from end to end, with the reason why that table never grows.
var scans = map[string]string{
	"selectBacklog":   "what is queued is counted, which is all that the index has",
	"selectFeed":      "the feed has 64 rows",
	"selectFollowers": "all followers are asked for, of which each process has a few",
	"selectPosition":  "the feed has 64 rows",
}

// neverGrow are the tables that may be read from end to end: the feed has 64 rows, the cluster one.
var neverGrow = map[string]bool{"roster_feed": true, "roster_cluster": true}

// wholeTables are the statements that don't name an account, with the reason.
var wholeTables = map[string]string{
	"acknowledgeTicket":    "a follower follows all accounts",
	"countUse":             "a limit is named by a digest",
	"deleteFollowers":      "a follower follows all accounts",
	"deleteLimit":          "a limit is named by a digest",
	"deleteSuppression":    "an address is no account's",
	"deleteUses":           "a limit is named by a digest",
	"drawTicket":           "tickets and leases are for all accounts",
	"drawTicketAndNotify":  "tickets and leases are for all accounts",
	"drawTicketOnly":       "tickets and leases are for all accounts",
	"dropUses":             "a limit is named by a digest",
	"findContact":          "the first read of a link's verb, which learns the account",
	"findInvite":           "the first read of a token's verb, which learns the account",
	"delayMessages":        "the worker serves all accounts",
	"dropMessages":         "dead letters are of all accounts",
	"endMessages":          "the worker serves all accounts",
	"insertFeedback":       "an address is no account's",
	"putBackMessages":      "the worker serves all accounts",
	"sendMessages":         "the worker serves all accounts",
	"insertFollower":       "a follower follows all accounts",
	"insertInLine":         "a message has a group, which is an account to those who send",
	"insertMessage":        "a message has a group, which is an account to those who send",
	"leaseMessages":        "the worker serves all accounts",
	"lockLimit":            "a limit is named by a digest",
	"putSignIn":            "users exist apart from accounts",
	"putSuppression":       "an address is no account's",
	"putUser":              "users exist apart from accounts",
	"raiseFeed":            "the feed is one for all accounts",
	"raiseFeedByID":        "the feed is one for all accounts",
	"retryMessages":        "dead letters are of all accounts",
	"selectBacklog":        "the outbox is one for all accounts",
	"selectChanges":        "the feed is one for all accounts",
	"selectCreated":        "the outbox is one for all accounts",
	"selectDead":           "dead letters are of all accounts",
	"selectDeliveries":     "a message has a group, which is an account to those who send",
	"selectDue":            "the worker serves all accounts",
	"selectFeed":           "the feed is one for all accounts",
	"selectFeedback":       "an address is no account's",
	"selectFirstTurn":      "the line of the outbox is one for all accounts",
	"selectGranted":        "a cache is filled with all accounts",
	"selectFollowers":      "a follower follows all accounts",
	"selectLeased":         "the worker serves all accounts",
	"selectMessage":        "a message has a group, which is an account to those who send",
	"selectMessages":       "a message has a group, which is an account to those who send",
	"selectKeyUse":         "keys are the host's, for all accounts",
	"selectNextKey":        "keys are the host's, for all accounts",
	"selectPassedLimits":   "a limit is named by a digest",
	"selectPosition":       "a follower follows all accounts",
	"selectSnapshot":       "not about data",
	"selectSuppressed":     "an address is no account's",
	"selectSuppressions":   "an address is no account's",
	"selectTicket":         "tickets and leases are for all accounts",
	"selectTurns":          "a message has a group, which is an account to those who send",
	"selectUser":           "users exist apart from accounts",
	"selectUserAccounts":   "one user's accounts",
	"selectUsers":          "users exist apart from accounts",
	"selectWoken":          "the worker serves all accounts",
	"selectWaitingInvites": "one person's invites, from all accounts",
	"setLease":             "tickets and leases are for all accounts",
	"shortenWait":          "tickets and leases are for all accounts",
	"sumUses":              "a limit is named by a digest",
	"wakeMessages":         "the worker serves all accounts",
}

// aboutServers are the files whose statements ask a database about itself, once, when it is opened.
var aboutServers = []string{"migrate.go", "mysql.go", "postgres.go", "sqlite.go"}

// TestStatementsAreListed finds the statements in the source.
func TestStatementsAreListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(aboutServers, file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == 1 && isStatement(spec.Values[0]) {
				found = append(found, spec.Names[0].Name)
			}
			return true
		})
	}
	slices.Sort(found)
	require.Equal(t, slices.Sorted(maps.Keys(statements)), found)
}

var statementStart = regexp.MustCompile("^`(SELECT|INSERT|UPDATE|DELETE|WITH) ?\\b")

func isStatement(value ast.Expr) bool {
	for {
		sum, ok := value.(*ast.BinaryExpr)
		if !ok {
			break
		}
		value = sum.X
	}
	literal, ok := value.(*ast.BasicLit)
	return ok && statementStart.MatchString(literal.Value)
}

func TestStatementsNameAnAccount(t *testing.T) {
	account := regexp.MustCompile(`account_id = \?|INTO roster_\w+ \((id, )?account_id\b|roster_accounts( AS a)? WHERE id = \?|roster_accounts \(id|a\.id = \?|a\.id IN \(\?|roster_accounts SET [^;]*WHERE id = \?`)
	for name, statement := range statements {
		_, whole := wholeTables[name]
		require.NotEqual(t, whole, account.MatchString(regexp.MustCompile(`\s+`).ReplaceAllString(statement, " ")), name)
	}
}

// TestStatementsAreCalled finds statements that no call makes, so that no plan of theirs is seen.
func TestStatementsAreCalled(t *testing.T) {
	called := make(map[string]bool)
	for _, c := range calls() {
		called[c.statement] = true
	}
	require.Equal(t, slices.Sorted(maps.Keys(statements)), slices.Sorted(maps.Keys(called)))
}

func TestStatementsPageByKey(t *testing.T) {
	for name, statement := range statements {
		require.NotContains(t, strings.ToUpper(statement), "OFFSET", name)
		require.NotContains(t, strings.ToUpper(statement), " LIKE ", "%s: LIKE doesn't compare byte for byte", name)
	}
}
