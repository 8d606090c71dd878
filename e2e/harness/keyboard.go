package harness

import (
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Focus is what has the focus of the keyboard.
type Focus struct {
	// Tag is the element's, in lower case. Name and Value are those of a control, with what was typed into it.
	Tag, ID, Name, Value string
	// Text is what is written on it.
	Text string
	// Item is the ID of the list item that it is in, and Do the value of the field of that name in its form.
	Item, Do string
}

const focusScript = `(() => {
	const e = document.activeElement, form = e.closest("form"), item = e.closest("li")
	return {Tag: e.localName, ID: e.id, Name: e.name || "", Value: e.value || "",
		Text: e == document.body ? "" : e.textContent.trim(),
		Item: item ? item.id : "", Do: form && form.elements["do"] ? form.elements["do"].value : ""}
})()`

// Focus says what has the focus.
func (t *Tab) Focus() (Focus, error) {
	var f Focus
	err := t.Evaluate(focusScript, &f)
	return f, err
}

// mostTabs is how many controls a page may have.
const mostTabs = 200

// TabTo presses the Tab key until the focus is on what is wanted.
func (t *Tab) TabTo(what string, wanted func(Focus) bool) error {
	var passed []string
	for range mostTabs {
		if err := t.Type(kb.Tab); err != nil {
			return fmt.Errorf("go to %s by Tab: %w", what, err)
		}
		f, err := t.Focus()
		if err != nil {
			return fmt.Errorf("go to %s by Tab: %w", what, err)
		}
		if wanted(f) {
			return nil
		}
		passed = append(passed, fmt.Sprintf("%+v", f))
	}
	return fmt.Errorf("go to %s by Tab: none of %d controls is it: %q", what, mostTabs, passed[:mostTabs/10])
}

// Type presses the keys, one after another.
func (t *Tab) Type(keys string) error { return t.run(chromedp.KeyEvent(keys)) }

// Enter presses Enter, waits for the page that this leads to, and returns its status.
func (t *Tab) Enter() (status int, err error) { return t.follow(chromedp.KeyEvent(kb.Enter)) }

// Again loads the page as it was loaded, and returns the status.
func (t *Tab) Again() (status int, err error) { return t.follow(chromedp.Reload()) }

// Look has the page shown in a window of that size, in dark colours or in light ones.
func (t *Tab) Look(width, height int64, dark bool) error {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return t.run(
		chromedp.EmulateViewport(width, height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	)
}

// WithoutScript has pages that are opened from now on run no script.
func (t *Tab) WithoutScript() error { return t.run(emulation.SetScriptExecutionDisabled(true)) }
