#pragma once
#include <zmq.h>
#include <errno.h>

// Computed macros do not reach Swift; constants do.
static const int hidra_zmq_ETERM = ETERM;
static const int hidra_zmq_EFSM = EFSM;
