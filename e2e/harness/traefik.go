package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/latchkey-auth/latchkey/e2e/process"
)

// grace is how long Traefik has for its end before it is killed.
const grace = 5 * time.Second

// TraefikOptions say how to start Traefik; the zero value serves.
type TraefikOptions struct {
	// Plugin is the directory of the plugin's source. Empty: the working tree.
	Plugin string
	// Others are further plugins, by the names that Dynamic knows them by.
	Others map[string]LocalPlugin
	// WithoutLatchkey leaves Latchkey out.
	WithoutLatchkey bool
	// Port and TLSPort are those of the two entry points. 0: a free one.
	Port, TLSPort int
	// Env is added to the environment, as "NAME=value".
	Env []string
	// LogLevel is Traefik's. Empty: DEBUG, at which a plugin's standard output shows.
	LogLevel string
	// Debug has Traefik show its profiles, below /debug/pprof/ of its API.
	Debug bool
}

// Traefik is a running Traefik with the plugin loaded.
type Traefik struct {
	// URL and TLSURL are those of the two entry points, without a slash at the end.
	// The certificate is the one Traefik makes for itself at each start.
	URL, TLSURL string
	// API is the URL of Traefik's own API.
	API string
	// Began is when the process was started last.
	Began time.Time

	dir        string
	log        string
	generation int
	binary     string
	env        []string
	client     *http.Client
	process    *process.Process
}

// StartTraefik starts Traefik with this dynamic configuration and waits until it is in force.
func StartTraefik(ctx context.Context, options TraefikOptions, dynamic Dynamic) (*Traefik, error) {
	binary, err := traefikBinary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "latchkey-traefik-")
	if err != nil {
		return nil, err
	}
	t := &Traefik{dir: dir, log: filepath.Join(dir, "traefik.log"), binary: binary, env: options.Env, client: Client()}
	if err := t.configure(options, dynamic); err != nil {
		t.Stop()
		return nil, fmt.Errorf("configure Traefik: %w", err)
	}
	if err := t.start(ctx); err != nil {
		t.Stop()
		return nil, fmt.Errorf("start Traefik: %w", err)
	}
	return t, nil
}

// Restart ends Traefik and starts it again on the same ports, with the same configuration and an empty memory.
func (t *Traefik) Restart(ctx context.Context) error {
	t.process.Stop(grace)
	if err := t.start(ctx); err != nil {
		return fmt.Errorf("restart Traefik: %w", err)
	}
	return nil
}

// configure lays out the working directory: static and dynamic configuration, and the plugin where Traefik looks for it.
func (t *Traefik) configure(options TraefikOptions, dynamic Dynamic) error {
	plugins, err := options.install(t.dir)
	if err != nil {
		return err
	}
	web, err := address(options.Port)
	if err != nil {
		return err
	}
	websecure, err := address(options.TLSPort)
	if err != nil {
		return err
	}
	api, err := address(0)
	if err != nil {
		return err
	}
	t.URL, t.TLSURL, t.API = localURL("http", web), localURL("https", websecure), localURL("http", api)
	level := options.LogLevel
	if level == "" {
		level = "DEBUG"
	}
	configuration := staticConfiguration(web, websecure, api, level)
	configuration["api"].(map[string]any)["debug"] = options.Debug
	configuration["experimental"] = map[string]any{"localPlugins": plugins}
	static, err := yaml.Marshal(configuration)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(t.dir, "traefik.yml"), static, 0o644); err != nil {
		return err
	}
	return t.write(dynamic)
}

func staticConfiguration(web, websecure, api, level string) map[string]any {
	return map[string]any{
		"global": map[string]any{"checkNewVersion": false, "sendAnonymousUsage": false},
		"entryPoints": map[string]any{
			"web":       map[string]any{"address": web},
			"websecure": map[string]any{"address": websecure, "http": map[string]any{"tls": map[string]any{}}},
			"traefik":   map[string]any{"address": api},
		},
		"api":  map[string]any{"insecure": true, "dashboard": false},
		"ping": map[string]any{},
		"log":  map[string]any{"level": level, "noColor": true},
		"providers": map[string]any{
			"providersThrottleDuration": "100ms",
			"file":                      map[string]any{"filename": "dynamic.yml", "watch": true},
		},
	}
}

func (t *Traefik) start(ctx context.Context) error {
	if err := t.launch("--configfile=traefik.yml"); err != nil {
		return err
	}
	return t.inForce(ctx)
}

func (t *Traefik) launch(args ...string) error {
	log, err := os.OpenFile(t.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(t.binary, args...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), t.env...)
	cmd.Stdout, cmd.Stderr = log, log
	t.Began = time.Now()
	t.process, err = process.Start(cmd)
	return err
}

// Reload replaces the dynamic configuration and waits until it is in force.
func (t *Traefik) Reload(ctx context.Context, dynamic Dynamic) error {
	if err := t.write(dynamic); err != nil {
		return err
	}
	return t.inForce(ctx)
}

// write puts the file in place whole, under the next generation.
func (t *Traefik) write(dynamic Dynamic) error {
	t.generation++
	file, err := dynamic.render(t.generation)
	if err != nil {
		return err
	}
	path := filepath.Join(t.dir, "dynamic.yml")
	if err := os.WriteFile(path+".new", file, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// inForce waits until both entry points answer with the generation written last.
func (t *Traefik) inForce(ctx context.Context) error {
	return t.await(ctx, "configuration in force", func(ctx context.Context) error {
		for _, entry := range []string{t.URL, t.TLSURL} {
			if err := t.marked(ctx, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// await polls for at most a minute, and not once Traefik has ended.
func (t *Traefik) await(ctx context.Context, what string, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return Poll(ctx, what, func() error {
		select {
		case <-t.process.Done():
			cancel()
			return fmt.Errorf("ended: %w\n%s", errors.Join(t.process.Wait(), errors.New("see its log")), t.Log())
		default:
		}
		return ready(ctx)
	})
}

// marked returns nil if the entry point has the current generation.
func (t *Traefik) marked(ctx context.Context, entry string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, entry, nil)
	if err != nil {
		return err
	}
	r.Host = markerHost(t.generation)
	res, err := t.client.Do(r)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != markerStatus {
		return fmt.Errorf("generation %d on %s: status %d", t.generation, entry, res.StatusCode)
	}
	return nil
}

// RouterErrors are the errors that Traefik's API shows for a router, such as those of a middleware that it refused.
func (t *Traefik) RouterErrors(ctx context.Context, router string) ([]string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.API+"/api/http/routers/"+router+"@file", nil)
	if err != nil {
		return nil, err
	}
	res, err := t.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var answer struct {
		Error []string `json:"error"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read router %q: %w", router, err)
	}
	return answer.Error, nil
}

// Log is what Traefik, and the plugin in it, have logged so far.
func (t *Traefik) Log() string {
	log, err := os.ReadFile(t.log)
	if err != nil {
		return err.Error()
	}
	return strings.ToValidUTF8(string(log), "?")
}

// PID is the id of Traefik's process.
func (t *Traefik) PID() int { return t.process.PID() }

// Done is closed when Traefik has ended.
func (t *Traefik) Done() <-chan struct{} { return t.process.Done() }

// Kill ends Traefik as kill -9 does. Restart starts it again.
func (t *Traefik) Kill() { t.process.Kill() }

// Stop ends Traefik and removes its working directory.
func (t *Traefik) Stop() {
	if t.process != nil {
		t.process.Stop(grace)
	}
	t.client.CloseIdleConnections()
	os.RemoveAll(t.dir)
}
