// Gitops says how GitOps tools see objects, by what these tools themselves are made of.
//
// It reads one JSON object: `objects`; `lua`, an Argo CD health check; and `cel`, a Flux health check's
// expressions. It writes an array of what each of the three tells of each object.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	Objects []json.RawMessage                `json:"objects"`
	Lua     string                           `json:"lua"`
	Cel     kustomize.HealthCheckExpressions `json:"cel"`
}

type answer struct {
	ArgoCD  health `json:"argocd"`
	Flux    health `json:"flux"`
	Kstatus health `json:"kstatus"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	flux, err := cel.NewStatusEvaluator(&asked.Cel)
	if err != nil {
		return err
	}
	answers := make([]answer, len(asked.Objects))
	for i, text := range asked.Objects {
		if answers[i], err = told(text, asked.Lua, flux); err != nil {
			return fmt.Errorf("object %d: %w", i, err)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func told(text []byte, script string, flux *cel.StatusEvaluator) (answer, error) {
	var object unstructured.Unstructured
	if err := object.UnmarshalJSON(text); err != nil {
		return answer{}, err
	}
	argocd, err := argocdHealth(object.Object, script)
	if err != nil {
		return answer{}, err
	}
	return answer{argocd, of(flux.Evaluate(context.Background(), &object)), of(status.Compute(&object))}, nil
}

// As Flux' status readers do: what can't be evaluated is unknown.
func of(result *status.Result, err error) health {
	if err != nil {
		return health{status.UnknownStatus.String(), err.Error()}
	}
	return health{result.Status.String(), result.Message}
}
