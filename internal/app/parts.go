package app

import (
	"fmt"
	"log/slog"
	"os"

	"payscand/configs"
	"payscand/device"
	"payscand/device/hidscan"
	"payscand/device/serialscan"
	"payscand/device/usb"
	"payscand/payment"
	"payscand/payment/alipayplus"
	"payscand/payment/alphapay"
	"payscand/payment/signature"
)

// LoadConfig reads a configuration; see configs.Load. With keys it is one that the
// gateways take: whoever was told that it is good can start the daemon with it.
func LoadConfig(path string, withoutKeys bool) (*configs.Config, error) {
	return configs.Load(path, configs.Options{
		CredentialsDirectory: os.Getenv("CREDENTIALS_DIRECTORY"), WithoutKeys: withoutKeys,
		PrivateKey: func(text []byte) error {
			_, err := signature.ParsePrivateKey(text)
			return err
		},
		PublicKey: func(text []byte) error {
			_, err := signature.ParsePublicKey(text)
			return err
		},
	})
}

func gatewaysOf(config *configs.Config, log *slog.Logger) ([]payment.Gateway, error) {
	gateways := make([]payment.Gateway, 0, len(config.Gateways))
	for _, name := range config.Gateways.Names() {
		g, err := gatewayOf(name, config, log)
		if err != nil {
			return nil, fmt.Errorf("gateway.%s: %w", name, err)
		}
		gateways = append(gateways, g)
	}
	return gateways, nil
}

func gatewayOf(name string, config *configs.Config, log *slog.Logger) (payment.Gateway, error) {
	gateway := config.Gateways[name]
	private, platform, err := keysOf(gateway.Account())
	if err != nil {
		return nil, err
	}
	if a := gateway.AlphaPay; a != nil {
		return alphapay.New(alphapay.Config{
			Name: name, BaseURL: a.BaseURL, MerchantCode: a.MerchantCode,
			PrivateKey: private, KeyVersion: a.KeyVersion, PlatformKeys: platform, CAFile: a.CAFile,
			NotifyURL: a.NotifyURL, TerminalCode: config.Terminal.Code, Logger: log,
		})
	}
	a := gateway.AlipayPlus
	m := a.Merchant
	return alipayplus.New(alipayplus.Config{
		Name: name, BaseURL: a.BaseURL, ClientID: a.ClientID,
		PrivateKey: private, KeyVersion: a.KeyVersion, PlatformKeys: platform, CAFile: a.CAFile,
		NotifyURL: a.NotifyURL, SettlementCurrency: a.SettlementCurrency,
		Merchant: alipayplus.Merchant{
			ReferenceID: m.ReferenceID, Name: m.Name, MCC: m.MCC,
			Address: alipayplus.Address{
				Region: m.Region, State: m.State, City: m.City, Address1: m.Address1, Address2: m.Address2, ZipCode: m.ZipCode,
			},
		},
		Store:        alipayplus.Store(a.Store),
		TerminalCode: config.Terminal.Code, Logger: log,
	})
}

func keysOf(account *configs.Account) (private signature.PrivateKey, platform map[int]signature.PublicKey, err error) {
	pem, err := account.PrivateKeyFile.ReadPrivate()
	if err != nil {
		return private, nil, fmt.Errorf("private_key_file: %w", err)
	}
	if private, err = signature.ParsePrivateKey(pem); err != nil {
		return private, nil, fmt.Errorf("private_key_file: %w", err)
	}
	platform = make(map[int]signature.PublicKey)
	for version, file := range account.PlatformKeyFiles {
		if pem, err = file.ReadPublic(); err != nil {
			return private, nil, fmt.Errorf("platform_key_file: %w", err)
		}
		if platform[version], err = signature.ParsePublicKey(pem); err != nil {
			return private, nil, fmt.Errorf("platform_key_file: %w", err)
		}
	}
	return private, platform, nil
}

func scannersOf(config *configs.Config, arming *device.Arming) ([]device.Scanner, error) {
	scanners := make([]device.Scanner, 0, len(config.Scanners))
	for i, s := range config.Scanners {
		scanner, err := scannerOf(s, arming)
		if err != nil {
			return nil, fmt.Errorf("scanner[%d]: %w", i, err)
		}
		scanners = append(scanners, scanner)
	}
	return scanners, nil
}

func scannerOf(s configs.Scanner, arming *device.Arming) (device.Scanner, error) {
	if h := s.HID; h != nil {
		config := hidscan.Config{
			Name: s.Name, Mode: hidscan.Mode(h.Mode), VendorID: uint16(h.VendorID), ProductID: uint16(h.ProductID), Serial: h.Serial,
			Layout: h.Layout, Terminator: device.Terminator(h.Terminator), IdleTimeout: h.IdleTimeout,
			Affixes: device.Affixes{Prefix: h.Prefix, Suffix: h.Suffix},
		}
		if h.Interface != configs.AnyInterface {
			config.Interface = &h.Interface
		}
		return hidscan.New(config, arming)
	}
	config := serialscan.Config{
		Name: s.Name, Port: s.Serial.Port, Baud: s.Serial.Baud, DataBits: s.Serial.DataBits,
		USB:    usb.ID{Vendor: uint16(s.Serial.VendorID), Product: uint16(s.Serial.ProductID), Serial: s.Serial.USBSerial},
		Parity: serialscan.Parity(s.Serial.Parity), StopBits: s.Serial.StopBits,
		Terminator: device.Terminator(s.Serial.Terminator), IdleTimeout: s.Serial.IdleTimeout,
		Affixes: device.Affixes{Prefix: s.Serial.Prefix, Suffix: s.Serial.Suffix},
	}
	if s.Serial.Interface != configs.AnyInterface {
		config.Interface = &s.Serial.Interface
	}
	return serialscan.New(config, arming)
}
