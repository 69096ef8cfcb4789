// Package notifytest helps to test what sends mail: a mailer that records, one that fails, and a mock of
// notify.Mailer. Prefer the recorder and ask what was sent; the mock is for tests about the calls themselves.
package notifytest

//go:generate go tool moq -out mailer_mock.go -pkg notifytest .. Mailer
