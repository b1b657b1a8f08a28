#!/bin/bash
for i in $(seq 1 400); do echo "line $i xxxxxxxxxxxxxxxxxxxxxxxxxx"; done
exit 1
