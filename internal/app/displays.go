package app

import (
	"context"
	"fmt"
	"net"

	"payscand/api"
	"payscand/configs"
	"payscand/display"
	"payscand/display/kiosk"
)

// startDisplays serves every configured display from now on: until the first
// sale is recovered they ask for patience.
func (d *daemon) startDisplays(board *display.Board) error {
	languages := make([]display.Language, len(d.config.Terminal.Languages))
	for i, l := range d.config.Terminal.Languages {
		languages[i] = display.Language(l)
	}
	for i, c := range d.config.Displays {
		if err := d.startKiosk(c.Kiosk, board, languages); err != nil {
			return fmt.Errorf("display[%d]: %w", i, err)
		}
	}
	return nil
}

func (d *daemon) startKiosk(c *configs.Kiosk, board *display.Board, languages []display.Language) error {
	page, err := kiosk.New(kiosk.Config{
		Board: board, Languages: languages, ShopName: c.ShopName, Hosts: c.Hosts, Log: d.options.Log,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	d.addresses.Kiosks = append(d.addresses.Kiosks, listener.Addr().String())
	d.serve("kiosk", page.HTTPServer(), api.Limit(listener, api.MaxConnections))
	d.down.add("kiosk's pages", func(context.Context) error { return page.Close() })
	return nil
}
