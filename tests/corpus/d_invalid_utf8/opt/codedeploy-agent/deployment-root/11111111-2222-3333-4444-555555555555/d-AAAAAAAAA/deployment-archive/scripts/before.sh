#!/bin/bash
printf "caf\xe9 \xe2\x82 bad\n"
printf "ok \u00e9\n"
