package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// Browser is a Chromium with an empty profile.
type Browser struct {
	profile string
	ctx     context.Context
	cancel  []context.CancelFunc
}

// Tab is one of its tabs.
type Tab struct{ ctx context.Context }

// StartBrowser starts Chromium. It ends with Stop, and with this process.
func StartBrowser() (*Browser, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("start browser: %w", err)
	}
	profile, err := os.MkdirTemp("", "latchkey-browser-")
	if err != nil {
		return nil, fmt.Errorf("start browser: %w", err)
	}
	b := &Browser{profile: profile}
	if err := b.start(path); err != nil {
		b.Stop()
		return nil, fmt.Errorf("start browser: %w", err)
	}
	return b, nil
}

func (b *Browser) start(path string) error {
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(b.profile),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.WSURLReadTimeout(time.Minute),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewExecAllocator(context.Background(), options...)
	b.cancel = append(b.cancel, cancel)
	b.ctx, cancel = chromedp.NewContext(b.ctx)
	b.cancel = append(b.cancel, cancel)
	return chromedp.Run(b.ctx)
}

// Stop ends Chromium and removes its profile.
func (b *Browser) Stop() {
	_ = chromedp.Cancel(b.ctx)
	for i := len(b.cancel) - 1; i >= 0; i-- {
		b.cancel[i]()
	}
	// Chromium's child processes may write for a moment after its end.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = Poll(ctx, "profile to go", func() error { return os.RemoveAll(b.profile) })
}

// Tab opens an empty tab.
func (b *Browser) Tab() (*Tab, error) {
	ctx, cancel := chromedp.NewContext(b.ctx)
	if err := chromedp.Run(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("open tab: %w", err)
	}
	b.cancel = append(b.cancel, cancel)
	return &Tab{ctx}, nil
}

// run gives the actions half a minute.
func (t *Tab) run(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(t.ctx, 30*time.Second)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// Open goes to a URL and waits until it, or what it redirects to, is loaded. It returns the status of that answer.
func (t *Tab) Open(url string) (status int, err error) {
	return t.follow(chromedp.Navigate(url))
}

// Login fills in the provider's form, which must be open, and waits for the page that the provider sends the browser
// to in the end. It returns the status of that page.
func (t *Tab) Login(user string) (status int, err error) {
	if err := t.run(chromedp.WaitVisible("#username")); err != nil {
		where, _ := t.URL()
		return 0, fmt.Errorf("log in as %q: no form at %s: %w", user, where, err)
	}
	return t.follow(
		chromedp.SetValue("#username", user),
		chromedp.SetValue("#password", Password),
		chromedp.Click("button[type=submit]"),
	)
}

// follow does something that leads to another page, waits for that page, and returns its status.
func (t *Tab) follow(actions ...chromedp.Action) (int, error) {
	ctx, cancel := context.WithTimeout(t.ctx, 30*time.Second)
	defer cancel()
	res, err := chromedp.RunResponse(ctx, actions...)
	if err != nil {
		return 0, err
	}
	if res == nil {
		return 0, errors.New("follow: the page did not change")
	}
	return int(res.Status), nil
}

// URL is where the tab is.
func (t *Tab) URL() (string, error) {
	var url string
	err := t.run(chromedp.Location(&url))
	return url, err
}

// Cookies are all cookies of the browser, whatever their site.
func (t *Tab) Cookies() ([]*network.Cookie, error) {
	var cookies []*network.Cookie
	err := t.run(chromedp.ActionFunc(func(ctx context.Context) error {
		var err error
		cookies, err = storage.GetCookies().Do(ctx)
		return err
	}))
	return cookies, err
}

// Text is the text of the page as a reader sees it.
func (t *Tab) Text() (string, error) {
	var text string
	err := t.run(chromedp.Text("body", &text))
	return strings.TrimSpace(text), err
}

// Seen is the request as the app got it that answered with this page.
func (t *Tab) Seen() (Seen, error) {
	var data string
	if err := t.run(chromedp.TextContent("#request", &data)); err != nil {
		return Seen{}, err
	}
	var seen Seen
	return seen, json.Unmarshal([]byte(data), &seen)
}

// Evaluate runs a script, waits for its promise if it returns one, and stores the result.
func (t *Tab) Evaluate(script string, result any) error {
	return t.run(chromedp.Evaluate(script, result, awaitPromise))
}

// Screenshot writes the page as a PNG.
func (t *Tab) Screenshot(path string) error {
	var png []byte
	if err := t.run(chromedp.FullScreenshot(&png, 100)); err != nil {
		return err
	}
	return os.WriteFile(path, png, 0o644)
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
