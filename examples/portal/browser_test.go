package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestInBrowser drives the running portal in headless Chromium, by what a person sees.
func TestInBrowser(t *testing.T) {
	chrome := startChrome(t)
	onEachEngine(t, func(t *testing.T, source string) { tellStories(t, chrome, source) })
}

func tellStories(t *testing.T, chrome chrome, source string) {
	base, said := startPortal(t, source)

	t.Run("invited, promoted, removed", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.follow("User Management")
		owner.fill("#address", "nora@counting.example")
		owner.click(`label[for="mode-choose"]`)
		owner.click(`label[for="permission-invoices"]`)
		owner.press("Send Invite")
		owner.sees("nora@counting.example")
		owner.sees("Pending invites")
		link := owner.linkMailedTo("nora@counting.example")
		said.secret(link[strings.LastIndex(link, "/")+1:])

		nora := chrome.window(t, base)
		nora.open(link)
		nora.sees("Join Brightside Bakery")
		nora.fill("#name", "Nora Counts")
		nora.fill("#password", noraPassword)
		nora.fill("#repeat", noraPassword)
		said.secret(noraPassword)
		nora.press("Create password and accept")
		nora.sees("Brightside Bakery")
		require.Contains(t, nora.sidebar(), "Invoices")
		require.NotContains(t, nora.sidebar(), "Services")
		require.NotContains(t, nora.sidebar(), "User Management")
		nora.follow("Invoices")
		nora.sees("Pay")

		owner.follow("User Management")
		owner.click(`a[aria-label="Manage Permissions of Nora Counts"]`)
		owner.click(`label[for="permission-products"]`)
		owner.press("Save Permissions")
		owner.sees("Nora Counts")
		nora.follow("Invoices")
		require.Contains(t, nora.sidebar(), "Services")
		nora.follow("Services")
		nora.sees("Services")

		owner.follow("User Management")
		owner.click(`a[aria-label="Remove Access of Nora Counts"]`)
		owner.sees("Remove the access of Nora Counts?")
		owner.sees("View & Pay Invoices")
		owner.press("Remove Access")
		owner.sees("Nora Counts")
		nora.follow("Invoices")
		nora.sees("404")

		nora.open(link)
		nora.sees("This invite was used already")
	})

	t.Run("opened as somebody else", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.follow("User Management")
		owner.fill("#address", "eve@solo.example")
		owner.click(`label[for="mode-all"]`)
		owner.press("Send Invite")
		link := owner.linkMailedTo("eve@solo.example")
		said.secret(link[strings.LastIndex(link, "/")+1:])

		other := chrome.window(t, base)
		other.signIn("tom@brightside.example", demoPassword)
		other.open(link)
		other.sees("This invite is for somebody else")
		other.sees("Nothing is lost")
		other.press("Switch user")
		other.sees("Sign in and accept")
		other.fill("#password", demoPassword)
		other.press("Sign in and accept")
		other.sees("Brightside Bakery")
		require.Contains(t, other.sidebar(), "User Management", "she was offered all permissions")
		other.open(base + "/")
		other.sees("Brightside Bakery")
	})

	said.search(t, 3, "roster_invites", "nora@counting.example")
}

const noraPassword = "seven quiet ledgers"

// utterances is what the portal said and keeps: its log, its database and its key.
type utterances struct {
	log     *lockedBuffer
	source  string
	folder  string // Of the key, and of an SQLite file.
	secrets []string
}

func (u *utterances) secret(s string) { u.secrets = append(u.secrets, s) }

// search looks for every token and password, of which it knows how many there are, in the log, in all rows of all tables,
// and in all files. Of what isn't secret, a table has to hold a text.
func (u *utterances) search(t *testing.T, count int, table, text string) {
	t.Helper()
	kept := everythingIn(t, newDatabaseOn(t, u.source))
	require.Contains(t, kept["portal_people"], "olivia@brightside.example")
	require.Contains(t, kept[table], text)
	kept["log"] = u.log.String()
	files, err := filepath.Glob(filepath.Join(u.folder, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		kept[filepath.Base(file)] = string(content)
	}
	require.Len(t, u.secrets, count)
	for _, secret := range append(u.secrets, demoPassword) {
		for place, content := range kept {
			require.False(t, strings.Contains(content, secret), "%s holds a secret", place)
		}
	}
}

// startPortal runs the portal as the command does, with demo data, until the test ends.
func startPortal(t *testing.T, source string) (base string, said *utterances) {
	t.Helper()
	said = &utterances{log: &lockedBuffer{}, source: source, folder: t.TempDir()}
	if file, ok := strings.CutPrefix(source, "sqlite:"); ok {
		said.folder = filepath.Dir(file)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		args := []string{"-addr", "127.0.0.1:0", "-db", source, "-key", filepath.Join(said.folder, "portal.key")}
		err := run(ctx, args, environment(nil), writer, said.log)
		writer.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	base = announcedURL(t, reader)
	go io.Copy(io.Discard, reader)
	return base, said
}

// A chrome is a running browser.
type chrome struct{ ctx context.Context }

// startChrome starts the browser that CHROME names, or the first that is installed. Without one the test is skipped,
// or fails where ROSTER_TEST_ALL is set.
func startChrome(t *testing.T) chrome {
	t.Helper()
	program := findChrome()
	if program == "" && os.Getenv("ROSTER_TEST_ALL") != "" {
		t.Fatal("no Chromium on this machine: run make test, or set CHROME")
	}
	if program == "" {
		t.Skip("no Chromium on this machine: install it, or set CHROME")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 1000),
		chromedp.WSURLReadTimeout(time.Minute))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser, which still writes to its folder
		stopBrowser()
		stopAllocator()
	})
	require.NoError(t, chromedp.Do(ctx), "starting %s", program)
	return chrome{ctx}
}

func findChrome() string {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	if named := os.Getenv("CHROME"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// A window is one person's, with cookies of their own.
type window struct {
	t    *testing.T
	ctx  context.Context
	base string
}

func (c chrome) window(t *testing.T, base string) *window {
	t.Helper()
	ctx, closeWindow := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(closeWindow)
	ctx, giveUp := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(giveUp)
	return &window{t, ctx, base}
}

func (w *window) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	require.NoError(w.t, chromedp.Do(w.ctx, steps...), what)
}

func ask[T any](w *window, what string, step chromedp.Action[T]) T {
	w.t.Helper()
	answer, err := chromedp.Run(w.ctx, step)
	require.NoError(w.t, err, what)
	return answer
}

func (w *window) open(url string) {
	w.t.Helper()
	w.do("opening a page", chromedp.Navigate(url))
}

func (w *window) signIn(address, password string) {
	w.t.Helper()
	w.open(w.base + "/sign-in")
	w.fill("#address", address)
	w.fill("#password", password)
	w.press("Sign in")
	w.sees("Sign out")
}

// follow goes where the link with this text in the sidebar leads.
func (w *window) follow(text string) {
	w.t.Helper()
	w.leave("following "+text, chromedp.Click(`//nav[@id="sections"]//a[normalize-space()="`+text+`"]`))
}

// press presses the button with this text.
func (w *window) press(text string) {
	w.t.Helper()
	w.leave("pressing "+text, chromedp.Click(`//main//button[normalize-space()="`+text+`"]`))
}

func (w *window) click(selector string) {
	w.t.Helper()
	click := chromedp.Click(chromedp.CSS(selector))
	if strings.HasPrefix(selector, "a") {
		w.leave("clicking "+selector, click)
		return
	}
	w.do("clicking "+selector, click)
}

// leave waits for the page that a step leads to.
func (w *window) leave(what string, step chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	_, err := chromedp.RunResponse(w.ctx, step)
	require.NoError(w.t, err, what)
}

func (w *window) fill(selector, text string) {
	w.t.Helper()
	w.do("filling "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// sees checks that the page, or what is folded away in it, says something.
func (w *window) sees(text string) {
	w.t.Helper()
	all := ask(w, "reading the page", chromedp.Evaluate[string]("document.body.textContent"))
	require.Contains(w.t, strings.Join(strings.Fields(all), " "), text)
}

func (w *window) sidebar() string {
	w.t.Helper()
	return ask(w, "reading the sidebar", chromedp.Text(chromedp.ID("sections")))
}

var inviteLink = regexp.MustCompile(`http\S+/invites/[\w-]{64}`)

// linkMailedTo returns the link of an invite that was mailed to an address.
func (w *window) linkMailedTo(address string) string {
	w.t.Helper()
	text := w.mailText(`//tr[td[normalize-space()="` + address + `"]]//a`)
	link := inviteLink.FindString(text)
	require.NotEmpty(w.t, link, text)
	require.Contains(w.t, text, "72 hours")
	w.open(w.base + "/")
	return link
}

// mailText looks into the development mailbox until the worker has sent a mail, to which the XPath leads, and returns its
// text.
func (w *window) mailText(mail string) string {
	w.t.Helper()
	for {
		w.open(w.base + "/mailbox")
		there := `document.evaluate('` + mail + `', document, null, XPathResult.BOOLEAN_TYPE).booleanValue`
		if ask(w, "looking for the mail", chromedp.Evaluate[bool](there)) {
			break
		}
	}
	w.leave("opening the mail", chromedp.Click(mail))
	return ask(w, "reading the mail", chromedp.Text(chromedp.CSS(".mail-text")))
}
