package apitoken

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"
)

const (
	// tempMark is between the name of a file and a random part, in the name of what
	// is to replace it.
	tempMark = ".new-"
	// leftFor is how old a file has to be that a writer left behind when it was
	// killed, to be removed by another. A live one has it for seconds.
	leftFor = time.Hour
)

// replace puts a file with this content at the path, so that a reader finds the
// whole old or the whole new one, and so does whoever comes after a crash: it is
// written and synchronized under another name in the same folder, then renamed.
// ready is asked just before; its error leaves the old file in place, and so does
// any other.
//
// A symbolic link stays, and what it leads to is replaced. The new file has the
// old one's mode and, where that is possible, owner; without an old one (nil) its
// mode is 0600.
func replace(path string, content []byte, old fs.FileInfo, ready func() error) (fs.FileInfo, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, err
	}
	temp := target + tempMark + randomHex(8)
	info, err := writeTemp(temp, content, old)
	if err == nil {
		err = ready()
	}
	if err == nil {
		err = os.Rename(temp, target)
	}
	if err != nil {
		_ = os.Remove(temp)
		return nil, err
	}
	// The file is in place. Some file systems cannot synchronize a folder.
	_ = syncFolder(filepath.Dir(target))
	return info, nil
}

// resolve follows symbolic links. A link to nowhere is an error.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		return target, nil
	}
	if _, missing := os.Lstat(path); errors.Is(missing, fs.ErrNotExist) {
		return path, nil
	}
	return "", err
}

func writeTemp(temp string, content []byte, old fs.FileInfo) (fs.FileInfo, error) {
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := fill(file, content, old)
	if failed := file.Close(); err == nil {
		err = failed
	}
	return info, err
}

func fill(file *os.File, content []byte, old fs.FileInfo) (fs.FileInfo, error) {
	if _, err := file.Write(content); err != nil {
		return nil, err
	}
	if err := inherit(file, old); err != nil {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	return file.Stat()
}

// inherit gives the new file what the old one had. When root makes a token, the
// user that Traefik runs as must go on reading the file.
func inherit(file *os.File, old fs.FileInfo) error {
	if old == nil {
		return nil
	}
	if os.Geteuid() == 0 {
		if user, group, ok := ownerOf(old); ok {
			if err := file.Chown(user, group); err != nil {
				return err
			}
		}
	}
	return file.Chmod(old.Mode().Perm())
}

// ownerOf reads the fields of a syscall.Stat_t, a package that is not there in
// the interpreter.
func ownerOf(info fs.FileInfo) (user, group int, ok bool) {
	stat := reflect.Indirect(reflect.ValueOf(info.Sys()))
	if stat.Kind() != reflect.Struct {
		return 0, 0, false
	}
	uid := stat.FieldByName("Uid")
	gid := stat.FieldByName("Gid")
	if !uid.IsValid() || !gid.IsValid() {
		return 0, 0, false
	}
	return int(uid.Uint()), int(gid.Uint()), true
}

func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// stillAt refuses to write over an edit by somebody who takes no lock.
func (s *set) stillAt(path string) error {
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		info = nil
	}
	if !s.isOf(info) {
		return fmt.Errorf("%q was edited meanwhile: try again", path)
	}
	return nil
}

// sweep removes what killed writers left: files to replace it, and guards of its
// lock.
func sweep(path string) {
	target, err := resolve(path)
	if err != nil {
		return
	}
	sweepFolder(filepath.Dir(target), filepath.Base(target)+tempMark)
	sweepFolder(filepath.Dir(path), filepath.Base(path)+".used"+tempMark)
	sweepFolder(filepath.Dir(path), filepath.Base(path)+".lock.")
}

func sweepFolder(folder, prefix string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > leftFor {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}
