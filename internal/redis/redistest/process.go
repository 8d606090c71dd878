package redistest

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"

	"github.com/latchkey-auth/latchkey/internal/wait"
)

// The numbers of signals. The interpreter has neither syscall nor os/exec, so
// processes are started by os, and the types of syscall are met by reflection.
const (
	sigKILL = 9
	sigCONT = 18
	sigSTOP = 19
)

type process struct {
	started *os.Process
	done    chan struct{}

	mu sync.Mutex
}

// startProcess starts a program, which the kernel kills when this process ends.
//
// The parent-death signal fires when the thread that forked ends, not the
// process, so the thread is kept: one goroutine is locked to it until the
// program has ended.
func startProcess(name string, args []string, dir string) (*process, error) {
	path, err := lookPath(name)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	attributes := &os.ProcAttr{Dir: dir, Env: os.Environ(), Files: []*os.File{null, null, null}}
	dieWithParent(attributes)

	p := &process{done: make(chan struct{})}
	failed := make(chan error, 1)
	go func() {
		defer func() { _ = recover() }()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		started, err := os.StartProcess(path, append([]string{path}, args...), attributes)
		p.started = started
		failed <- err
		if err == nil {
			_, _ = started.Wait()
			close(p.done)
		}
	}()
	if err := <-failed; err != nil {
		return nil, err
	}
	return p, nil
}

// dieWithParent sets Sys.Pdeathsig, where the system has it.
func dieWithParent(attributes *os.ProcAttr) {
	sys := reflect.ValueOf(attributes).Elem().FieldByName("Sys")
	made := reflect.New(sys.Type().Elem())
	death := made.Elem().FieldByName("Pdeathsig")
	if !death.IsValid() {
		return
	}
	death.SetInt(sigKILL)
	sys.Set(made)
}

func lookPath(name string) (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", errors.New(name + " is not in PATH")
}

func (p *process) signal(number int64) error {
	s := reflect.New(reflect.TypeOf(os.Kill)).Elem()
	s.SetInt(number)
	return p.started.Signal(s.Interface().(os.Signal))
}

// kill ends the program, also one that is paused, and waits for its end.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.started.Kill()
	<-p.done
}

func (p *process) ended() bool {
	return wait.Now(p.done)
}
