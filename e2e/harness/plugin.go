package harness

import (
	"maps"
	"path/filepath"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// pluginName is the name under which the static configuration declares Latchkey.
const pluginName = "latchkey"

// LocalPlugin is a plugin that Traefik interprets from its source.
type LocalPlugin struct {
	// Module is its import path, and Dir the directory of its source.
	Module, Dir string
}

// install puts the plugins where Traefik looks for them, below its working directory, and returns their declarations.
func (o TraefikOptions) install(dir string) (map[string]any, error) {
	plugins := map[string]LocalPlugin{}
	maps.Copy(plugins, o.Others)
	if !o.WithoutLatchkey {
		latchkey, err := o.latchkey()
		if err != nil {
			return nil, err
		}
		plugins[pluginName] = latchkey
	}
	declared := map[string]any{}
	for name, p := range plugins {
		if err := checkout.LinkAs(filepath.Join(dir, "plugins-local"), p.Module, p.Dir); err != nil {
			return nil, err
		}
		declared[name] = map[string]any{"moduleName": p.Module}
	}
	return declared, nil
}

func (o TraefikOptions) latchkey() (LocalPlugin, error) {
	if o.Plugin != "" {
		return LocalPlugin{Module: checkout.Module, Dir: o.Plugin}, nil
	}
	root, err := checkout.Root()
	return LocalPlugin{Module: checkout.Module, Dir: root}, err
}
