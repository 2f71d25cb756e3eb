#pragma once
#include <zmq.h>
#include <errno.h>

// Computed macros do not reach Swift; constants do.
static const int hidra_zmq_ETERM = ETERM;
static const int hidra_zmq_EFSM = EFSM;

// Part of the draft API's header only, but known to every libzmq since 4.3.0.
static const int hidra_zmq_ZAP_ENFORCE_DOMAIN = 93;
