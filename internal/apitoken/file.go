package apitoken

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"sort"
	"sync"
	"time"
)

// FileConfig says where the shadow file is.
type FileConfig struct {
	Path       string           // all that write to one file name it by one path: the lock is beside it
	CheckEvery time.Duration    // how often it is looked at; 0: each time
	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger     // nil: silent

	// Changed is told which secrets are dead once an edit from outside is in force:
	// those that opened tokens which changed or vanished. nil: nobody is.
	Changed func(dead []Secret)
}

// Secret is a secret that opened a token.
type Secret struct{ ID, Hash string }

// File is a Store in a shadow file, {"version":1,"tokens":{id:{…}}}: all tokens
// are in memory, and the file is looked at once in a window. Edits from outside
// therefore take up to a window to be seen; those made here are seen at once.
//
// What was read last and was good stays in force while the file is not: nothing
// that was revoked comes back, and nobody is shut out.
type File struct {
	path    string
	every   time.Duration
	now     func() time.Time
	log     *slog.Logger
	changed func(dead []Secret)

	mu      sync.RWMutex // never held while something is read, parsed, compared or told
	set     *set
	swaps   int64     // how often the set was exchanged
	own     string    // the digest of what is being put in the file's place
	checked time.Time // when the window began
	known   time.Time // when the window began in which the set was found to be the file's
	loading bool
	again   bool // the file changed once more while it was being loaded
	failing bool
	gone    map[string]bool // ids that were taken out from outside

	generation, loads, failures, checks int64

	blank   bool  // nothing good was read so far
	trouble error // why it cannot be used; nil: it can
	bad     *bad  // what could not be parsed last

	queue *queue
	uses  *uses
}

// set is what the file held. Nothing of it changes once it is in force.
type set struct {
	tokens map[string]Token // without their ids
	info   fs.FileInfo      // of the file that was read; nil: there was none
	spoilt bool             // there was one, which could not be used
	digest string           // of its content
}

// OpenFile reads the file. One that is not there has no tokens, and is made when
// there is one. Where it cannot be used there is a File all the same, which is
// ErrUnavailable until a later look finds the file good; the error says why.
func OpenFile(c FileConfig) (*File, error) {
	f := &File{path: c.Path, every: c.CheckEvery, now: c.Now, log: c.Log, changed: c.Changed, queue: &queue{}}
	if f.now == nil {
		f.now = time.Now
	}
	f.uses = openUses(f.path+".used", f.log)
	f.checked = begun(f.now())
	f.known = f.checked
	empty := &set{tokens: map[string]Token{}}
	first, err := f.readSet(empty)
	if err != nil {
		empty.spoilt = true
		f.set = empty
		f.blank = true
		f.failed(err)
		return f, fmt.Errorf("open token file: %w", err)
	}
	if first.info == nil {
		f.report(slog.LevelDebug, "the token file does not exist; the first token makes it", nil)
	}
	f.set = first
	f.loads = 1
	return f, nil
}

// Close writes down what is not yet. All methods go on working, but for Used.
func (f *File) Close() { f.uses.close(f.exists) }

// Find implements Store. It fails while nothing good was read so far.
func (f *File) Find(ctx context.Context, id string) (Token, bool, error) {
	f.check(ctx)
	if err := f.unread("find token"); err != nil {
		return Token{}, false, err
	}
	t, found := f.get(id)
	return t, found, nil
}

// unread is the error of whoever asks before anything good was read.
func (f *File) unread(operation string) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !f.blank {
		return nil
	}
	return unavailable(operation, f.trouble)
}

// Fresh implements Store: it is Find.
func (f *File) Fresh(ctx context.Context, id string) (Token, bool, error) {
	return f.Find(ctx, id)
}

// Seen returns the token as the file has it. Gone says that there is none by now,
// and that it was taken out from outside since this process reads the file.
func (f *File) Seen(ctx context.Context, id string) (t Token, found, gone bool) {
	f.check(ctx)
	t, found = f.get(id)
	f.mu.RLock()
	defer f.mu.RUnlock()
	return t, found, !found && f.gone[id]
}

func (f *File) get(id string) (Token, bool) {
	f.mu.RLock()
	t, found := f.set.tokens[id]
	f.mu.RUnlock()
	if !found {
		return Token{}, false
	}
	t.ID = id
	return t, true
}

func (f *File) exists(id string) bool {
	_, found := f.get(id)
	return found
}

// List implements Store. It fails while nothing good was read so far.
func (f *File) List(ctx context.Context, owner string) ([]Token, error) {
	f.check(ctx)
	if err := f.unread("list tokens"); err != nil {
		return nil, err
	}
	current, _ := f.inForce()
	// append would copy the whole list each time when interpreted.
	list := make([]Token, len(current.tokens))
	n := 0
	for id, t := range current.tokens {
		if owner == "" || t.Owner == owner {
			t.ID = id
			list[n] = t
			n++
		}
	}
	list = list[:n]
	oldestFirst(list)
	return list, nil
}

func oldestFirst(list []Token) {
	sort.Slice(list, func(i, j int) bool {
		if list[i].Created != list[j].Created {
			return list[i].Created < list[j].Created
		}
		return list[i].ID < list[j].ID
	})
}

// Used implements Store.
func (f *File) Used(_ context.Context, id string, now int64) {
	if f.uses.note(id, now, f.exists) {
		go f.uses.write(f.exists)
	}
}

// LastUse implements Store; its error is always nil.
func (f *File) LastUse(_ context.Context, ids []string) (map[string]int64, error) {
	return f.uses.last(ids), nil
}

// Until implements Store: it is the end of the last window in which the set was
// found to be what the file has. While somebody looks, or loads, that is over.
func (f *File) Until(_ time.Time) time.Time {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.known.Add(f.every)
}

// Stats implements Store.
func (f *File) Stats() Stats {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return Stats{
		Tokens:     int64(len(f.set.tokens)),
		Generation: f.generation,
		Loads:      f.loads,
		Failures:   f.failures,
		Checks:     f.checks,
	}
}

func (f *File) report(level slog.Level, message string, err error) {
	if f.log == nil {
		return
	}
	if err == nil {
		f.log.Log(context.Background(), level, message, "file", f.path)
		return
	}
	f.log.Log(context.Background(), level, message, "file", f.path, "error", err.Error())
}
