package main

const (
	shadowReadFile    = "internal/apitoken/file_read.go"
	shadowParseFile   = "internal/apitoken/file_parse.go"
	shadowLoadFile    = "internal/apitoken/file_load.go"
	shadowWriteFile   = "internal/apitoken/file_write.go"
	shadowReplaceFile = "internal/apitoken/file_replace.go"
	shadowLockFile    = "internal/apitoken/file_lock.go"
	shadowUsedFile    = "internal/apitoken/file_used.go"
	validateFile      = "internal/apitoken/validate.go"
)

var shadowReadMutants = []mutant{
	{shadowFile, "others may read it", shadowReadFile, "info.Mode().Perm()&0o027 != 0", "info.Mode().Perm()&0o020 != 0"},
	{shadowFile, "others may write it", shadowReadFile, "info.Mode().Perm()&0o027 != 0", "info.Mode().Perm()&0o025 != 0"},
	{shadowFile, "its group may write it", shadowReadFile, "info.Mode().Perm()&0o027 != 0", "info.Mode().Perm()&0o007 != 0"},
	{shadowFile, "a file without bound", shadowReadFile, "\tif info.Size() > maxFile {\n", "\tif info.Size() < 0 {\n"},
	{shadowFile, "a pipe, which nobody writes to", shadowReadFile, "err == nil && !info.Mode().IsRegular() {", "err == nil && info.Mode()&fs.ModeDir != 0 {"},
	{shadowFile, "a folder or device that took its place", shadowReadFile, "\tif !info.Mode().IsRegular() {\n\t\treturn irregular(path, info)\n", "\tif info == nil {\n\t\treturn irregular(path, info)\n"},
	{shadowFile, "a file that vanished", shadowReadFile, "if missing && base.info == nil && !base.spoilt {", "if missing {"},
	{shadowFile, "the text of another file", shadowReadFile, "if base.digest == next.digest {", "if len(base.digest) == len(next.digest) {"},
}

var shadowParseMutants = []mutant{
	{shadowFile, "another version", shadowParseFile, "if found != version || tokens == nil {", "if tokens == nil {"},
	{shadowFile, "no tokens", shadowParseFile, "if found != version || tokens == nil {", "if found != version {"},
	{shadowFile, "a misspelled end", shadowParseFile, "\td.DisallowUnknownFields()\n", ""},
	{shadowFile, "a member besides version and tokens", shadowParseFile, "\t\t\terr = errors.New(\"a member besides version and tokens\")\n", "\t\t\terr = d.Decode(new(json.RawMessage))\n"},
	{shadowFile, "one name twice", shadowParseFile, "if seen[name] {", `if seen[name] && name == "" {`},
	{shadowFile, "a token of another id", shadowParseFile, `if t.ID != "" && t.ID != id {`, `if t.ID != "" && id == "" {`},
	{shadowFile, "a token out of bounds, in the file", shadowParseFile, "\tif err := t.Validate(); err != nil {\n\t\treturn t, err\n\t}\n", ""},
	{shadowFile, "a credential that somebody pasted, in the log", validateFile, `an id of %d characters, want 16 lower-case hex digits", ErrInvalid, len(t.ID))`, `an id %q, want 16 lower-case hex digits", ErrInvalid, t.ID)`},
}

var validateMutants = []mutant{
	{shadowFile, "an id that is none", validateFile, "if !idShape.MatchString(t.ID) {", "if t.ID == \"\" {"},
	{shadowFile, "a hash that is none", validateFile, "if !hashShape.MatchString(t.Hash) || ", "if "},
	{shadowFile, "a previous hash that is none", validateFile, ` || (t.PreviousHash != "" && !hashShape.MatchString(t.PreviousHash)) {`, ` {`},
	{shadowFile, "made before time", validateFile, "t.Created < 0 || ", ""},
	{shadowFile, "an end before time", validateFile, "t.Expires < 0 || ", ""},
	{shadowFile, "rotated before time", validateFile, "t.Rotated < 0 || ", ""},
	{shadowFile, "a grace before time", validateFile, " || t.PreviousUntil < 0 {", " {"},
	{shadowFile, "nobody's token", validateFile, "if len(t.Owner) == 0 || ", "if "},
	{shadowFile, "a long owner", validateFile, "len(t.Owner) > maxOwner || ", ""},
	{shadowFile, "CR, LF, NUL in an owner", validateFile, " || !printable(t.Owner) {", " {"},
	{shadowFile, "a long note", validateFile, "if len(t.Note) > maxNote || ", "if "},
	{shadowFile, "CR, LF, NUL in a note", validateFile, " || !printable(t.Note) {", " {"},
	{shadowFile, "what is not UTF-8", validateFile, "return utf8.ValidString(text) && ", `return utf8.ValidString("") && `},
	{shadowFile, "scopes without end", validateFile, "if len(t.Scopes) > maxScopes {", "if len(t.Scopes) > 1000*maxScopes {"},
	{shadowFile, "a scope with a space reads as two", validateFile, "if !ValidScope(scope) {", `if scope == "" {`},
	{shadowFile, "a long scope", validateFile, "len(scope) <= maxScope && ", ""},
	{shadowFile, "a scope twice", validateFile, "if seen[scope] {", `if seen[scope] && scope == "" {`},
	{shadowFile, "a change of the id", "internal/apitoken/store.go", "if next.ID != t.ID || ", "if "},
	{shadowFile, "a change of the owner", "internal/apitoken/store.go", "next.Owner != t.Owner || ", ""},
	{shadowFile, "a change of the time of creation", "internal/apitoken/store.go", " || next.Created != t.Created {", " {"},
	{shadowFile, "a change out of bounds", "internal/apitoken/store.go", "\tif err := next.Validate(); err != nil {\n\t\treturn Token{}, err\n\t}\n", ""},
	{shadowFile, "a change of what is in force", "internal/apitoken/store.go", "\tgiven.Scopes = append([]string(nil), t.Scopes...)\n", ""},
}

var shadowLoadMutants = []mutant{
	{shadowFile, "nobody is told that a load has ended", shadowLoadFile, "\tclose(done)\n", "\t_ = done\n"},
	{shadowFile, "a look for each request", shadowLoadFile, "\tf.checked = begun(now)\n", ""},
	{shadowFile, "a look for each of those that came at once", shadowLoadFile, "\tif !f.due(now) {\n\t\treturn false\n\t}\n", ""},
	{shadowFile, "a window that ends between two seconds, with no verdict until then", shadowLoadFile, "return now.Truncate(time.Second)", "return now"},
	{shadowFile, "a verdict of the old file while the new one is read", "internal/apitoken/file.go", "return f.known.Add(f.every)", "return f.checked.Add(f.every)"},
	{shadowFile, "no look, since the clock was put back", shadowLoadFile, " || age <= -f.every", ""},
	{shadowFile, "an edit of the same size, in place", shadowLoadFile, "s.info.ModTime().Equal(info.ModTime()) && ", ""},
	{shadowFile, "an edit at the same time, in place", shadowLoadFile, " && s.info.Size() == info.Size() &&\n", " &&\n"},
	{shadowFile, "a mode that others gave it since", shadowLoadFile, "\t\ts.info.Mode() == info.Mode() && os", "\t\tos"},
	{shadowFile, "a link that leads to another file of that time and size", shadowLoadFile, " && os.SameFile(s.info, info)\n", "\n"},
	{shadowFile, "what was wrong and does not show", shadowLoadFile, "if !f.failing && f.set.isOf(info) {", "if f.set.isOf(info) {"},
	{shadowFile, "two loads at once", shadowLoadFile, "\tif f.loading {\n\t\tf.again = true\n\t\treturn nil\n\t}\n", ""},
	{shadowFile, "an edit in the midst of a load", shadowLoadFile, "\t\tf.again = true\n", ""},
	{shadowFile, "a request waits for a load that hangs", shadowLoadFile, "context.WithTimeout(ctx, patience)", "context.WithTimeout(ctx, 1000*patience)"},
	{shadowFile, "a load that panics", shadowLoadFile, "if recover() != nil {", "if error(nil) != nil {"},
	{shadowFile, "a bad file opens to nobody, or to those of before", shadowLoadFile, "\t\t\tf.failed(err)\n\t\t\treturn\n", "\t\t\tf.failed(err)\n\t\t\tnext = &set{tokens: map[string]Token{}}\n"},
	{shadowFile, "an own write is taken for an edit", shadowLoadFile, "\t\tif f.isOwn(next) {\n\t\t\treturn\n\t\t}\n", ""},
	{shadowFile, "what was read before a write, over it", shadowLoadFile, "\tif f.swaps != swaps {\n\t\treturn false\n\t}\n", ""},
	{shadowFile, "a token that was taken out by hand goes on", shadowLoadFile, "!found || !t.same(other) {", "found && !t.same(other) {"},
	{shadowFile, "a token that was changed by hand goes on", shadowLoadFile, "!found || !t.same(other) {", `!found || !t.same(other) && id == "" {`},
	{shadowFile, "a change of scopes by hand", tokenStateFile, " &&\n\t\tsameTexts(t.Scopes, other.Scopes)\n", "\n"},
	{shadowFile, "a change of owner by hand", tokenStateFile, "t.Owner == other.Owner && ", ""},
	{shadowFile, "a change of the end by hand", tokenStateFile, " && t.Expires == other.Expires", ""},
	{shadowFile, "a bad file fills the log", shadowLoadFile, "\tfirst := !f.failing\n", "\tfirst := true\n"},
	{shadowFile, "a bad file is not counted", shadowLoadFile, "\tf.failures++\n", ""},
}

var shadowWriteMutants = []mutant{
	{shadowFile, "an edit is lost with a write", shadowWriteFile, "found, err := f.readSet(base)", "found, err := base, error(nil)"},
	{shadowFile, "a write over an edit by an editor that takes no lock", shadowWriteFile, "\t\treturn found.stillAt(f.path)\n", "\t\treturn nil\n"},
	{shadowFile, "a lock that was lost while the new file was written", shadowWriteFile, "\t\tif err := held.renew(); err != nil {\n\t\t\treturn err\n\t\t}\n", ""},
	{shadowFile, "two writers, of two processes", shadowQueueFile, `takeLock(ctx, f.path+".lock")`, `takeLock(ctx, f.path+".lock"+randomHex(4))`},
	{shadowFile, "a lock that stays", shadowWriteFile, "\tdefer held.release()\n", ""},
	{shadowFile, "a file too large to be read again", shadowWriteFile, "\tif len(content) > maxFile {\n", "\tif len(content) < 0 {\n"},
	{shadowFile, "what a failed write would have written counts as ours", shadowWriteFile, "\t\tf.expect(\"\")\n", ""},
	{shadowFile, "an own write, until it is in force, counts for ever as ours", shadowWriteFile, "\tf.generation++\n\tf.own = \"\"\n", "\tf.generation++\n"},
	{shadowFile, "a write over what a load put in force", shadowWriteFile, "\tif f.swaps != swaps {\n\t\treturn false\n\t}\n", ""},
	{shadowFile, "an edit that a write found is not told", shadowQueueFile, "\tf.tell(dead)\n", "\t_ = dead\n"},
	{shadowFile, "a token over another of that id", shadowWriteFile, "\t\tif found {\n\t\t\treturn Token{}, false, ErrExists\n\t\t}\n", "\t\t_ = found\n"},
	{shadowFile, "a token out of bounds, made", shadowWriteFile, "\tif err := t.Validate(); err != nil {\n\t\treturn fmt.Errorf(\"create token: %w\", err)\n\t}\n", ""},
	{shadowFile, "a deleted token comes back with an update", shadowWriteFile,
		"\t\tif !found {\n\t\t\treturn Token{}, false, ErrNotFound\n\t\t}\n\t\tnext, err := changed(t, change)\n", "\t\t_ = found\n\t\tnext, err := change(t)\n"},
	{shadowFile, "what killed writers left", shadowWriteFile, "\tsweep(f.path)\n", ""},
	{shadowFile, "a link is replaced by a file", shadowReplaceFile, "target, err := filepath.EvalSymlinks(path)", "target, err := path, error(nil)"},
	{shadowFile, "a link to nowhere is replaced by a file", shadowReplaceFile, "_, missing := os.Lstat(path)", "_, missing := os.Stat(path)"},
	{shadowFile, "a new file that others may read", shadowReplaceFile, "os.O_EXCL, 0o600)", "os.O_EXCL, 0o644)"},
	{shadowFile, "a link in the new file's place", shadowReplaceFile, "os.O_WRONLY|os.O_CREATE|os.O_EXCL, ", "os.O_WRONLY|os.O_CREATE, "},
	{shadowFile, "the mode does not stay", shadowReplaceFile, "return file.Chmod(old.Mode().Perm())", "return nil"},
	{shadowFile, "whoever writes last, without being asked", shadowReplaceFile, "\t\terr = ready()\n", "\t\t_ = ready\n"},
	{shadowFile, "half of a new file stays", shadowReplaceFile, "\t\t_ = os.Remove(temp)\n", ""},
	{shadowFile, "a live writer's file is swept away", shadowReplaceFile, "if err == nil && time.Since(info.ModTime()) > leftFor {", "if err == nil && time.Since(info.ModTime()) > 0 {"},
}

var shadowLockMutants = []mutant{
	{shadowFile, "two make one lock", shadowLockFile, "os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)", "os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)"},
	{shadowFile, "a live writer's lock is taken over", shadowLockFile, "s.age > deadAfter {", "s.age > time.Second {"},
	{shadowFile, "a dead writer's lock for ever", shadowLockFile, "\t\tl.clear(path)\n", ""},
	{shadowFile, "two take over one dead writer's lock, without a guard", shadowLockFile, "; err != nil {\n\t\tif errors.Is(err, fs.ErrExist) {\n\t\t\tl.clear(guard)\n\t\t}\n\t\treturn\n\t}\n", "; err != nil {\n\t\tl.clear(guard)\n\t}\n"},
	{shadowFile, "two take over one dead writer's lock, without a second look", shadowLockFile, "if err == nil && s.id == id {", `if err == nil && s.id != "" {`},
	{shadowFile, "a dead taker's guard for ever", shadowLockFile, "\t\t\tl.clear(guard)\n", ""},
	{shadowFile, "a lock of the same text is another one", shadowLockFile, `fmt.Sprintf("%s %d", content, made.UnixNano())`, `fmt.Sprintf("%s %d", content, 0*made.UnixNano())`},
	{shadowFile, "a lock that is another's by now", shadowLockFile, "s.holder != l.holder || s.age > holdFor {", "s.age > holdFor {"},
	{shadowFile, "a lock that may be another's in a moment", shadowLockFile, "s.holder != l.holder || s.age > holdFor {", "s.holder != l.holder {"},
	{shadowFile, "a lock that ages while it is held", shadowLockFile, "return os.Chtimes(l.path, now, now)", "_ = now\n\treturn nil"},
	{shadowFile, "another's lock, given back", shadowLockFile, "if err == nil && s.holder == l.holder {", "if err == nil {"},
	{shadowFile, "a writer that waits when its caller has left", "internal/wait/wait.go", "\t<-over.Done()\n\treturn ctx.Err()\n", "\t<-over.Done()\n\treturn nil\n"},
}

var shadowUsedMutants = []mutant{
	{shadowFile, "uses of tokens that do not exist, without bound", shadowUsedFile, "if known || !exists(id) {", "if known {"},
	{shadowFile, "a write for each use", shadowUsedFile, "u.closed || within(now, u.written) {", "u.closed {"},
	{shadowFile, "a writer for each use while one is about it", shadowUsedFile, "if u.busy || ", "if "},
	{shadowFile, "a pipe in the place of the uses", shadowUsedFile, "err != nil || !info.Mode().IsRegular() {", "err != nil || info == nil {"},
	{shadowFile, "uses of tokens that are gone, without bound", shadowUsedFile, "if at > all[id] && exists(id) {", "if at > all[id] {"},
}
