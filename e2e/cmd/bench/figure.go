package main

import "fmt"

// series is what was measured of a row, one sample a round.
type series struct {
	row, measure string
	samples      []float64
	against      []string // rows that it is compared with, round by round
	note         string
	whole        bool // it counts something
}

// figure is a series summed up, and compared.
type figure struct {
	Row     string  `json:"row"`
	Measure string  `json:"measure"`
	Value   spread  `json:"value"`
	Ratios  []ratio `json:"ratios,omitempty"`
	Note    string  `json:"note,omitempty"`
	whole   bool
}

// ratio is that of the figure's row to another row in the same rounds.
type ratio struct {
	Of string `json:"of"`
	spread
}

// figures sums up the series. One may be compared with those that were measured in the same rounds.
func figures(all []series) ([]figure, error) {
	bases := map[string]series{}
	for _, s := range all {
		bases[s.row+" "+s.measure] = s
	}
	var made []figure
	for _, s := range all {
		f := figure{Row: s.row, Measure: s.measure, Value: spreadOf(s.samples), Note: s.note, whole: s.whole}
		for _, name := range s.against {
			base := bases[name+" "+s.measure]
			if len(base.samples) != len(s.samples) {
				return nil, fmt.Errorf("compare %s of %q with %q: %d samples with %d", s.measure, s.row, name, len(s.samples), len(base.samples))
			}
			f.Ratios = append(f.Ratios, ratio{name, spreadOf(quotients(s.samples, base.samples))})
		}
		made = append(made, f)
	}
	return made, nil
}

func quotients(samples, bases []float64) []float64 {
	var made []float64
	for i := range samples {
		made = append(made, samples[i]/bases[i])
	}
	return made
}
