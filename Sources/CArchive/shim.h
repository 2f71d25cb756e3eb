#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

// Macros that do not reach Swift.
static const int hidra_archive_directory = AE_IFDIR;
static const int hidra_archive_regular = AE_IFREG;
