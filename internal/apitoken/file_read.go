package apitoken

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// maxFile bounds the shadow file: a quarter of a million tokens.
const maxFile = 64 << 20

// readSet reads the file whole, or returns an error that names it and what to do.
// A file that was never there is an empty set; one that vanished is an error. A
// file of base's content is base's tokens, which need not be parsed again; one that
// could not be parsed is not tried again until it changes.
func (f *File) readSet(base *set) (*set, error) {
	if err := f.knownBad(); err != nil {
		return nil, err
	}
	began := time.Now()
	content, info, err := readFile(f.path)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && base.info == nil && !base.spoilt {
		return base, nil
	}
	if missing {
		return nil, fmt.Errorf("read %q: it is gone: put it back", f.path)
	}
	if err != nil {
		return nil, err
	}
	next := &set{info: info, digest: digestOf(content)}
	if base.digest == next.digest {
		next.tokens = base.tokens
		return next, nil
	}
	tokens, err := parse(content)
	if err != nil {
		err = fmt.Errorf("parse %q: %w; correct it, or put a backup in its place", f.path, err)
		f.remember(&bad{set: set{info: info}, err: err, began: began})
		return nil, err
	}
	next.tokens = tokens
	return next, nil
}

// bad is a file that could not be parsed.
type bad struct {
	set
	err   error
	began time.Time // when it was read
}

// settled is how much older than the look at it a file has to be for its time and
// size to tell a later edit: some file systems count in seconds.
const settled = 2 * time.Second

// knownBad is the error of a file that could not be parsed and is still the same.
func (f *File) knownBad() error {
	f.mu.RLock()
	b := f.bad
	f.mu.RUnlock()
	if b == nil || b.began.Sub(b.info.ModTime()) < settled {
		return nil
	}
	info, err := os.Stat(f.path)
	if err != nil || !b.isOf(info) {
		return nil
	}
	return b.err
}

func (f *File) remember(b *bad) {
	f.mu.Lock()
	f.bad = b
	f.mu.Unlock()
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return string(sum[:])
}

// readFile asks the handle that it reads from, so that what it says of the file
// is about this content, whatever is renamed to the path meanwhile.
func readFile(path string) ([]byte, fs.FileInfo, error) {
	if err := suitableFolders(path); err != nil {
		return nil, nil, err
	}
	// Opening a pipe would wait for somebody to write to it.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, nil, irregular(path, info)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read: %w; the file must be readable for the user that Traefik runs as", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read: %w", err)
	}
	if err := suitable(path, info); err != nil {
		return nil, nil, err
	}
	// It may grow meanwhile; what is cut off does not parse.
	content := make([]byte, info.Size())
	n, err := io.ReadFull(file, content)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, fmt.Errorf("read: %w", err)
	}
	return content[:n], info, nil
}

// suitable refuses a file that others may read: whoever knows the hashes and
// owners knows whom to attack, and whoever may write makes tokens.
func suitable(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return irregular(path, info)
	}
	if info.Mode().Perm()&0o027 != 0 {
		return fmt.Errorf("read %q: mode %04o, want no access for others and no writing by the group: chmod 0600 it", path, info.Mode().Perm())
	}
	if user, _, ok := ownerOf(info); ok && !mayOwn(user, os.Geteuid()) {
		return fmt.Errorf("read %q: owned by user %d, want root or the user that Traefik runs as: chown it", path, user)
	}
	if info.Size() > maxFile {
		return fmt.Errorf("read %q: %d bytes, want at most %d: delete tokens that have expired", path, info.Size(), maxFile)
	}
	return nil
}

// mayOwn says whether a process trusts a file of that user's, who may write what
// they like: root may be anybody already, and who is root decides for themselves.
func mayOwn(user, self int) bool { return user == self || user == 0 || self == 0 }

// suitableFolders refuses a folder in which anybody may put another file in this
// one's place: that of the path, and of what it leads to.
func suitableFolders(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path
	}
	for _, folder := range []string{filepath.Dir(path), filepath.Dir(target)} {
		info, err := os.Stat(folder)
		if err == nil && openToAll(info.Mode()) {
			return fmt.Errorf("read %q: its folder %q has mode %04o, want no writing by others: chmod o-w it", path, folder, info.Mode().Perm())
		}
	}
	return nil
}

// openToAll is false for a folder with the sticky bit, where others' files stay.
func openToAll(mode fs.FileMode) bool { return mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0 }

func irregular(path string, info fs.FileInfo) error {
	return fmt.Errorf("read %q: %s, want a regular file", path, info.Mode().Type())
}
