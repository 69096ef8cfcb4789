package faults_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		servertest.Stop()
		os.Exit(code)
	}))
}
