package harness

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// Trial is how a user starts Traefik, with a configuration that is the user's own.
type Trial struct {
	// Dir is where the user begins. The log is there, and Stop removes it.
	Dir string
	// Script is what the user types into a shell. It ends with Traefik, as the command traefik.
	Script string
	// Env is added to the environment, as "NAME=value".
	Env []string
	// URL is that of an entry point, without a slash at the end. It has a router with Latchkey.
	URL string
}

// endTogether has Traefik take the shell's place, and the app end with it.
const endTogether = `set -eu
traefik() { exec traefik "$@"; }
python3() { exec setpriv --pdeathsig KILL python3 "$@"; }
`

// StartTrial has a shell run the script, and waits until Latchkey answers.
func StartTrial(ctx context.Context, trial Trial) (*Traefik, error) {
	binary, err := traefikBinary()
	if err != nil {
		return nil, err
	}
	t := &Traefik{
		URL: trial.URL, dir: trial.Dir, log: filepath.Join(trial.Dir, "traefik.log"),
		binary: "bash", client: Client(),
		env: append([]string{"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH")}, trial.Env...),
	}
	if err := t.launch("-c", endTogether+trial.Script); err != nil {
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
