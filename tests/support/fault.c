/*
 * Makes a disk slow or bad, for one process: LD_PRELOAD this library (tests/support/fault.ts builds it).
 * Counts the calls that match, and fails or delays them before anything reached the file. Never tears a write.
 *
 * FAULT_FSYNC_MS  adds so many milliseconds to every matching fsync and fdatasync
 * FAULT_OP        what is counted: write (write, pwrite, writev, pwritev), fsync (fsync, fdatasync), rename (rename,
 *                 renameat, renameat2), read (read, pread, readv, preadv), or any: the first three
 * FAULT_PATH      only files whose path contains this (of a rename: either of the two); without it, all regular files
 * FAULT_AT        fails the call with this number, counted from 1; 0 or absent: none
 * FAULT_TIMES     how many calls fail from there on (default 1; 0: all)
 * FAULT_ERRNO     EIO (default) or ENOSPC
 * FAULT_CONTROL   a file of three little-endian u64: calls seen, calls failed, and the number to fail, which
 *                 may be changed while the process runs; it outlives a kill -9
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OP_WRITE = 1, OP_FSYNC = 2, OP_RENAME = 4, OP_READ = 8 };

struct control {
	_Atomic uint64_t seen;
	_Atomic uint64_t failed;
	_Atomic uint64_t at;
};

static struct control fallback;
static struct control *control = &fallback;
static const char *only_path;
static long delay_ms;
static uint64_t times = 1;
static int ops = OP_WRITE | OP_FSYNC | OP_RENAME;
static int code = EIO;
static int counting;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_readv)(int, const struct iovec *, int);
static ssize_t (*real_preadv)(int, const struct iovec *, int, off_t);

__attribute__((constructor)) static void begin(void) {
	real_write = dlsym(RTLD_NEXT, "write");
	real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
	real_writev = dlsym(RTLD_NEXT, "writev");
	real_pwritev = dlsym(RTLD_NEXT, "pwritev64");
	real_fsync = dlsym(RTLD_NEXT, "fsync");
	real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	real_rename = dlsym(RTLD_NEXT, "rename");
	real_renameat = dlsym(RTLD_NEXT, "renameat");
	real_renameat2 = dlsym(RTLD_NEXT, "renameat2");
	real_read = dlsym(RTLD_NEXT, "read");
	real_pread = dlsym(RTLD_NEXT, "pread64");
	real_readv = dlsym(RTLD_NEXT, "readv");
	real_preadv = dlsym(RTLD_NEXT, "preadv64");

	const char *value;
	only_path = getenv("FAULT_PATH");
	if ((value = getenv("FAULT_FSYNC_MS"))) delay_ms = atol(value);
	if ((value = getenv("FAULT_TIMES"))) times = strtoull(value, NULL, 10);
	if ((value = getenv("FAULT_ERRNO")) && strcmp(value, "ENOSPC") == 0) code = ENOSPC;
	if ((value = getenv("FAULT_OP"))) {
		if (strcmp(value, "write") == 0) ops = OP_WRITE;
		else if (strcmp(value, "fsync") == 0) ops = OP_FSYNC;
		else if (strcmp(value, "rename") == 0) ops = OP_RENAME;
		else if (strcmp(value, "read") == 0) ops = OP_READ;
		else if (strcmp(value, "any") != 0) abort();
	}
	if ((value = getenv("FAULT_CONTROL"))) {
		int fd = open(value, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		struct stat status;
		if (fd < 0 || fstat(fd, &status) != 0 || (status.st_size < (off_t)sizeof *control && ftruncate(fd, sizeof *control) != 0)) abort();
		control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (control == MAP_FAILED) abort();
		close(fd);
		counting = 1;
	}
	if ((value = getenv("FAULT_AT"))) {
		atomic_store(&control->at, strtoull(value, NULL, 10));
		counting = 1;
	}
}

static int matches(int fd) {
	struct stat status;
	if (fstat(fd, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) return 0;
	if (!only_path) return 1;
	char link[64], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0) return 0;
	path[length] = 0;
	return strstr(path, only_path) != NULL;
}

/* 1 when the call, one that matches, is to fail. */
static int counted(void) {
	uint64_t number = atomic_fetch_add(&control->seen, 1) + 1;
	uint64_t at = atomic_load(&control->at);
	if (!at || number < at || (times != 0 && number >= at + times)) return 0;
	atomic_fetch_add(&control->failed, 1);
	return 1;
}

/* 1 when this call has to fail. */
static int fails(int op, int fd) {
	int saved = errno;
	int result = counting && (ops & op) && matches(fd) && counted();
	errno = result ? code : saved;
	return result;
}

static int rename_fails(const char *from, const char *to) {
	if (!counting || !(ops & OP_RENAME)) return 0;
	if (only_path && !strstr(from, only_path) && !strstr(to, only_path)) return 0;
	if (!counted()) return 0;
	errno = code;
	return 1;
}

static void delay(int fd) {
	if (delay_ms <= 0 || (only_path && !matches(fd))) return;
	struct timespec rest = {delay_ms / 1000, (delay_ms % 1000) * 1000000};
	while (nanosleep(&rest, &rest) != 0 && errno == EINTR) continue;
}

ssize_t write(int fd, const void *data, size_t size) { return fails(OP_WRITE, fd) ? -1 : real_write(fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return fails(OP_WRITE, fd) ? -1 : real_pwrite(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return fails(OP_WRITE, fd) ? -1 : real_pwrite(fd, data, size, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return fails(OP_WRITE, fd) ? -1 : real_writev(fd, parts, count); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
	return fails(OP_WRITE, fd) ? -1 : real_pwritev(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
	return fails(OP_WRITE, fd) ? -1 : real_pwritev(fd, parts, count, at);
}
int fsync(int fd) {
	delay(fd);
	return fails(OP_FSYNC, fd) ? -1 : real_fsync(fd);
}
int fdatasync(int fd) {
	delay(fd);
	return fails(OP_FSYNC, fd) ? -1 : real_fdatasync(fd);
}
int rename(const char *from, const char *to) { return rename_fails(from, to) ? -1 : real_rename(from, to); }
int renameat(int from_fd, const char *from, int to_fd, const char *to) {
	return rename_fails(from, to) ? -1 : real_renameat(from_fd, from, to_fd, to);
}
int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
	return rename_fails(from, to) ? -1 : real_renameat2(from_fd, from, to_fd, to, flags);
}
ssize_t read(int fd, void *data, size_t size) { return fails(OP_READ, fd) ? -1 : real_read(fd, data, size); }
ssize_t pread(int fd, void *data, size_t size, off_t at) { return fails(OP_READ, fd) ? -1 : real_pread(fd, data, size, at); }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) { return fails(OP_READ, fd) ? -1 : real_pread(fd, data, size, at); }
ssize_t readv(int fd, const struct iovec *parts, int count) { return fails(OP_READ, fd) ? -1 : real_readv(fd, parts, count); }
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t at) {
	return fails(OP_READ, fd) ? -1 : real_preadv(fd, parts, count, at);
}
ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t at) {
	return fails(OP_READ, fd) ? -1 : real_preadv(fd, parts, count, at);
}
