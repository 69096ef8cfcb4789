package notifytest_test

import (
	"context"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
)

func TestRecorder(t *testing.T) {
	var recorder notifytest.Recorder
	_, found := recorder.Last("bob@example.com")
	require.False(t, found)
	for _, m := range []notify.Mail{{To: "bob@example.com", Subject: "1"}, {To: "bob@example.com", Subject: "2"}, {To: "eve@example.com"}} {
		require.NoError(t, recorder.Send(t.Context(), m))
	}
	m, found := recorder.Last("bob@example.com")
	require.True(t, found)
	require.Equal(t, "2", m.Subject)
	require.Len(t, recorder.Mails(), 3)
	recorder.Reset()
	require.Empty(t, recorder.Mails())
}

func TestFirstURL(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Open\n\nhttps://example.com/a?b=c#d\n\nor http://example.com/e", "https://example.com/a?b=c#d"},
		{"See https://example.com/a.", "https://example.com/a"},
		{`<a href="https://example.com/a">`, "https://example.com/a"},
		{"nothing here", ""},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, notifytest.FirstURL(tt.text))
	}
}

func TestFailing(t *testing.T) {
	recorder := &notifytest.Recorder{}
	failing := &notifytest.Failing{Times: 2, Mailer: recorder}
	for range 2 {
		err := failing.Send(t.Context(), notify.Mail{})
		require.ErrorIs(t, err, notifytest.ErrRefused)
		require.False(t, notify.IsPermanent(err))
	}
	require.NoError(t, failing.Send(t.Context(), notify.Mail{}))
	require.Len(t, recorder.Mails(), 1)
	require.Equal(t, 2, failing.Refused())

	always := &notifytest.Failing{Times: -1, Permanent: true}
	for range 3 {
		err := always.Send(t.Context(), notify.Mail{})
		require.ErrorIs(t, err, notifytest.ErrRefused)
		require.True(t, notify.IsPermanent(err))
	}
	require.NoError(t, new(notifytest.Failing).Send(t.Context(), notify.Mail{}))
}

func TestMock(t *testing.T) {
	mock := &notifytest.MailerMock{SendFunc: func(context.Context, notify.Mail) error { return nil }}
	var mailer notify.Mailer = mock
	require.NoError(t, mailer.Send(t.Context(), notify.Mail{Subject: "1"}))
	require.Len(t, mock.SendCalls(), 1)
	require.Equal(t, "1", mock.SendCalls()[0].M.Subject)
}
