package harness

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
)

// Trial is how a user starts Traefik, with a configuration that is the user's own.
type Trial struct {
	// Dir is the working directory.
	Dir string
	// Args are the command's, without its name.
	Args []string
	// Env is added to the environment, as "NAME=value".
	Env []string
	// URL is that of an entry point, without a slash at the end. It has a router with Latchkey.
	URL string
}

// StartTrial starts Traefik just so, and waits until Latchkey answers.
// Stop removes the directory.
func StartTrial(ctx context.Context, trial Trial) (*Traefik, error) {
	binary, err := traefikBinary()
	if err != nil {
		return nil, err
	}
	t := &Traefik{
		URL: trial.URL, dir: trial.Dir, log: filepath.Join(trial.Dir, "traefik.log"),
		binary: binary, env: trial.Env, client: Client(),
	}
	if err := t.launch(trial.Args...); err != nil {
		t.Stop()
		return nil, fmt.Errorf("start Traefik: %w", err)
	}
	status := trial.URL + "/oauth2/status"
	err = t.await(ctx, "Latchkey's status", func(ctx context.Context) error {
		res, err := get(ctx, t.client, status)
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: status %d", status, res.StatusCode)
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("start Traefik: %w\n%s", err, t.Log())
		t.Stop()
		return nil, err
	}
	return t, nil
}
