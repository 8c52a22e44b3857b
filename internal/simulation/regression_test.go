package simulation

import "testing"

// Each of these schedules once broke a promise. What it taught is in its name.
func TestRegressions(t *testing.T) {
	for taught, schedule := range map[string]string{
		"a cancel in the turn of the scan takes the pay back: it must not leave without its code":                 "clock/0/0=1 clock/0/1=1 clock-step/0/0=9",
		"a clock that jumps by years does not make an attempt too old to be asked about":                          "clock/1/0=1 clock/1/1=4 wallet/1/0=1 wallet-delay/1/0=2 fate/1/3=1 clock-step/1/0=3",
		"a clock set back over a restart does not put the next lookup hours away":                                 "list-lag/0/0=1 visit/2/0=1 clock/0/0=1 fate/1/1=2 clock-step/0/0=6 crash/0/32=1",
		"a clock set back over a restart does not put a QR's second send years away":                              "visit/1/0=1 mode/1/0=2 clock/1/0=1 fate/1/2=1 fate/1/3=1 crash/0/10=1 crash/1/10=1 clock-step/1/0=5 goes-on/1/0=1",
		"a clock set back over a restart does not put the proof of an absence years away":                         "gateways/0/0=1 visit/1/0=1 clock/0/0=1 fate/129/1=1 crash/0/33=1 clock-step/0/0=6",
		"a start takes up a finished sale whose watch waits for a clock that was set back":                        "visit/1/0=1 mode/1/0=2 power-cut/0/0=1 power-cut/0/1=12 clock/0/0=1 cancel/1/0=1 clock-step/0/0=7",
		"a watch whose clock was set back is not asked again and again until that time comes":                     "visit/3/0=1 mode/3/0=1 fate/-1/10001=1 clock/1/0=1 clock/1/1=33 fate/-1/10004=1 wallet/1/0=5 clock-step/1/0=7 visit/3/1=2 crash/0/22=1 delay/385/1=2 wallet/385/0=4 fate/386/1=6",
		"a due sale does not start the questions of all its attempts at once":                                     "mode/0/0=2 visit/2/0=1 visit/4/0=1 fate/-1/10001=1 fate/1/1=1 asks-qr/0/0=1 asks-qr/0/1=2 fate/1/2=6 fate/2/1=6 fate/2/2=6 fate/3/1=6 fate/3/2=1 delay/1/3=2 delay/2/3=1 crash/0/16=1 fate/1/4=1 fate/257/1=4 delay/3/5=1 fate/1/6=4 wallet/258/0=5 wallet/259/0=1 wallet-delay/259/0=3 fate/259/2=1 fate/259/9=1 fate/259/10=1 visit/4/1=3 fate/259/11=1 fate/259/12=1 fate/259/13=1 fate/259/14=1 fate/259/15=1",
		"a check after a person's decision waits for the cancel that was under way":                               "visit/3/0=1 scan-delay/3/0=2 cancel/3/0=1 cancel/3/1=3 override/3/0=1 late-check/3/0=1 fate/385/1=4 wallet/386/0=1 wallet-delay/386/0=2 delay/386/4=2 fate/386/5=4 fate/386/7=1",
		"a wrong amount that was told after a reversal does not add to what was refunded":                         "visit/1/0=1 wallet/129/0=7 fate/129/2=4 fate/129/3=1 wallet/130/0=1 wallet-delay/130/0=3 delay/130/5=1 delay/130/6=1 delay/130/10=2 fate/129/5=4 delay/130/13=1 fate/129/8=8 fate/130/16=1",
		"a wrong amount that was told before nothing was left does not count as refunded":                         "second-send/0/0=1 visit/3/0=1 mode/3/0=1 scan-delay/3/0=2 scan/3/1=1 phone/385/0=1 delay/385/2=2 delay/385/4=2 delay/385/5=3 delay/385/6=3 paid-after-closed/385/1=1 fate/385/12=5 late-by/385/12=3 fate/385/16=1 fate/385/17=1 fate/10385/1=2 refund-way/10385/0=1 fate/10385/5=4 fate/385/19=8",
		"a code that waited for its QR to close is remembered from when it was submitted":                         "visit/1/0=1 visit/2/0=1 asks-qr/1/0=1 delay/129/1=2 wallet/130/0=2 visit/2/1=2 scan-delay/2/0=3 scan/2/1=5",
		"a clock that jumps by years after a lost answer does not put the search on other days":                   "codec/0/0=1 visit/3/0=1 clock/1/0=1 clock/1/1=19 wallet/385/0=2 fate/386/1=2 clock-step/1/0=3",
		"a refund that fails after all has the payment looked at: what was given back meanwhile was taken for it": "second-send/0/0=1 fate/-1/10001=3 late-by/-1/10001=3 refund-again/0/0=1 late-check/0/0=1 late-check/0/1=1 compose/1/0=1 fate/10002/1=5 late-by/10002/1=2 refund-way/10002/0=3 fate/10002/10=1",
	} {
		t.Run(taught, func(t *testing.T) {
			s, err := ParseSchedule(schedule)
			if err != nil {
				t.Fatal(err)
			}
			if story, err := Replay(s); err != nil {
				t.Errorf("%v\n%s", err, story)
			}
		})
	}
}
