package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mitchellh/mapstructure"
	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
	"gopkg.in/yaml.v3"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// The plugin catalog interprets the plugin and calls New with the manifest's testData, within 10 seconds.
func TestCatalog(t *testing.T) {
	t.Parallel()
	manifest := readManifest(t)
	if manifest.Type != "middleware" || manifest.Import != checkout.Module || manifest.Runtime != "" && manifest.Runtime != "yaegi" {
		t.Errorf("type %q, import %q, runtime %q, want a middleware of %q for yaegi", manifest.Type, manifest.Import, manifest.Runtime, checkout.Module)
	}
	if manifest.DisplayName == "" || manifest.Summary == "" {
		t.Error("displayName or summary is missing, without which Traefik loads no plugin")
	}
	if len(manifest.TestData) == 0 {
		t.Fatal("testData is empty")
	}
	began := time.Now()
	if _, err := interpretNew(t, manifest.TestData); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("New with testData took %v, want at most 10 s", took)
	}
}

// New opens no connection: not to the provider, nor to anything else that the settings name.
func TestNewOpensNoConnection(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var connections atomic.Int32
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			c.Close()
		}
	}()
	settings := readManifest(t).TestData
	settings["provider"].(map[string]any)["issuer"] = "http://" + listener.Addr().String()
	handler, err := interpretNew(t, settings)
	if err != nil {
		t.Fatal(err)
	}
	// Connections are accepted in the order in which they came: whatever New opened is before this one.
	own, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if _, err := own.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the listener does not close what it accepts: %v", err)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("New opened %d connections to the provider, want none", n-1)
	}
	// The first request that needs the provider opens one, so they would be seen here.
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/html")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if n := connections.Load(); n < 2 {
		t.Errorf("a login opened no connection to the provider")
	}
}

// manifest is .traefik.yml as Traefik reads it.
type manifest struct {
	DisplayName string         `yaml:"displayName"`
	Type        string         `yaml:"type"`
	Runtime     string         `yaml:"runtime"`
	Import      string         `yaml:"import"`
	Summary     string         `yaml:"summary"`
	TestData    map[string]any `yaml:"testData"`
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, ".traefik.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := yaml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// interpretNew does what Traefik does with a middleware's settings (pkg/plugins/middlewareyaegi.go).
func interpretNew(t *testing.T, settings map[string]any) (http.Handler, error) {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		return nil, err
	}
	gopath := t.TempDir()
	if err := checkout.Link(gopath, root); err != nil {
		return nil, err
	}
	i := interp.New(interp.Options{GoPath: gopath, Env: os.Environ()})
	if err := i.Use(stdlib.Symbols); err != nil {
		return nil, err
	}
	if _, err := i.Eval(fmt.Sprintf("import %q", checkout.Module)); err != nil {
		return nil, fmt.Errorf("import plugin: %w", err)
	}
	fnNew, err := i.Eval("latchkey.New")
	if err != nil {
		return nil, err
	}
	fnCreateConfig, err := i.Eval("latchkey.CreateConfig")
	if err != nil {
		return nil, err
	}
	config := fnCreateConfig.Call(nil)[0]
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		DecodeHook:       mapstructure.StringToSliceHookFunc(","),
		WeaklyTypedInput: true,
		Result:           config.Interface(),
	})
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(settings); err != nil {
		return nil, fmt.Errorf("decode settings: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	results := fnNew.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(http.NotFoundHandler()), config, reflect.ValueOf("catalog")})
	if err, ok := results[1].Interface().(error); ok {
		return nil, fmt.Errorf("call New: %w", err)
	}
	handler, ok := results[0].Interface().(http.Handler)
	if !ok {
		return nil, fmt.Errorf("call New: it returned a %T, not a handler", results[0].Interface())
	}
	return handler, nil
}
