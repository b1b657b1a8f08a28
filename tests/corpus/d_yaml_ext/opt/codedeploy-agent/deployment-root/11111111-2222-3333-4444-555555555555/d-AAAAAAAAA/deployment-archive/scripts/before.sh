#!/bin/bash
echo "  before stdout"
echo before stderr >&2
id -un
env | sort | grep -E '^(LIFECYCLE|DEPLOY|APPLI|BUNDLE)'
