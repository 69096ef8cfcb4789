package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

const maximumBody = 64 << 10

// contentPolicy allows what the pages use: one style sheet, one icon, own forms, and the mailbox's
// frame. No script runs anywhere.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// handler is the whole portal as one handler.
func (p *portal) handler() http.Handler {
	inner := p.routes()

	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(p.baseURL.String()); err != nil {
		panic("portal: the base URL is no origin: " + err.Error())
	}
	protection.SetDenyHandler(p.page(func(http.ResponseWriter, *http.Request) error {
		return forbidden("This form came from another website, so nothing was changed. Open the page here and try again.")
	}))

	outer := http.NewServeMux()
	outer.Handle(linksPath, p.recovered(p.links))
	outer.Handle("/", p.sessions.LoadAndSave(p.recovered(p.identified(protection.Handler(inner)))))
	return p.logged(withHeaders(outer), outer, inner)
}

// withHeaders sets what every answer carries, and limits what a request may send.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maximumBody)
		next.ServeHTTP(w, r)
	})
}

// secretPath marks a page whose path holds a token: its address goes to nobody as a referrer.
func secretPath(page pageFunc) pageFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		// A browser that sends no Sec-Fetch-Site (plain HTTP beyond this machine) proves a form's origin by the
		// Origin header, which "no-referrer" would blank. "same-origin" keeps the path from other sites as well.
		if r.Header.Get("Sec-Fetch-Site") != "" {
			w.Header().Set("Referrer-Policy", "no-referrer")
		}
		w.Header().Set("X-Robots-Tag", "noindex")
		return page(w, r)
	}
}

// logged writes one line per request. It names the route, of the first of muxes that has one besides "/", and never the
// path or the query: they may hold tokens, ids and addresses.
func (p *portal) logged(next http.Handler, muxes ...*http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		route := "/"
		for i := 0; i < len(muxes) && route == "/"; i++ {
			_, route = muxes[i].Handler(r)
		}
		p.log.Info("request", slog.String("method", r.Method), slog.String("route", route),
			slog.Int("status", recorder.status), slog.Duration("took", time.Since(started).Round(time.Microsecond)))
	})
}

// recovered turns a panic into a logged error and the page for it.
func (p *portal) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				p.log.Error("panic", slog.String("cause", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
				p.fail(w, r, fmt.Errorf("panic"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// statusRecorder remembers the status of an answer for the log.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer beneath.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
