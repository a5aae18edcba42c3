/*
 * The load generator: raw sockets, one thread, epoll. Speaks as much HTTP/1.1 and WebSocket as it takes to send
 * prepared messages and to count what comes back, so that it costs a fraction of the server it measures.
 *
 *   load <plan> <port> <warm ms> <run ms> <messages per second; 0: each sender sends when its last was answered>
 *
 * The plan (bench/load.ts writes it) lists connections. Prints `ready` when all stand, waits for a line on stdin,
 * runs, and prints one JSON object. With a run of 0 ms it only holds the connections until stdin ends.
 *
 * A message carries `~`, four hex digits that name its sender, and sixteen of a clock: a WebSocket sender's message
 * counts as answered when it comes back to it; every `~` that arrives on a WebSocket is one delivery.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { HTTP = 0, WEBSOCKET = 1, MARK = 20 };

struct connection {
	int fd, kind, sender, waiting;
	uint8_t *handshake, *hello, *message;
	uint32_t handshake_size, hello_size, message_size;
	int32_t id_at, stamp_at;
	uint64_t sent_at;
	/* HTTP: bytes of the body still to come, or -1 while the head is read. WebSocket: bytes of the frame still to come. */
	int64_t left;
	int opcode;
	uint32_t head_size, mark_size;
	uint8_t head[4096], mark[MARK];
};

struct samples {
	uint32_t *values;
	size_t count, room;
};

static struct connection *all;
static uint32_t total;
static struct samples acks, receipts;
static uint64_t answered, failed, deliveries, closed_count, bytes_in, nonce, serial;
static int paced, warm;
static uint8_t buffer[1 << 18];

static uint64_t now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void die(const char *what) {
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void record(struct samples *samples, uint64_t ns) {
	if (!warm) return;
	if (samples->count == samples->room) {
		samples->room = samples->room ? samples->room * 2 : 65536;
		samples->values = realloc(samples->values, samples->room * sizeof *samples->values);
	}
	samples->values[samples->count++] = (uint32_t)(ns / 1000);
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Milliseconds. */
static double quantile(struct samples *samples, double q) {
	if (samples->count == 0) return 0;
	size_t at = (size_t)(q * (double)(samples->count - 1));
	return samples->values[at] / 1000.0;
}

static void hex(uint8_t *to, uint64_t value, int digits) {
	while (digits-- > 0) {
		to[digits] = (uint8_t)"0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

static uint64_t unhex(const uint8_t *from, int digits) {
	uint64_t value = 0;
	for (int i = 0; i < digits; i++) value = value << 4 | (uint64_t)(from[i] <= '9' ? from[i] - '0' : from[i] - 'a' + 10);
	return value;
}

static void send_all(struct connection *it, const uint8_t *data, size_t size) {
	while (size > 0) {
		ssize_t sent = send(it->fd, data, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) continue;
		if (sent < 0) return;
		data += sent;
		size -= (size_t)sent;
	}
}

/* A client's frame, masked with zeros. */
static void send_frame(struct connection *it, int opcode, const uint8_t *data, size_t size) {
	static uint8_t frame[1 << 17];
	size_t at = 2;
	frame[0] = (uint8_t)(0x80 | opcode);
	if (size < 126) frame[1] = (uint8_t)(0x80 | size);
	else {
		frame[1] = 0x80 | 126;
		frame[2] = (uint8_t)(size >> 8);
		frame[3] = (uint8_t)size;
		at = 4;
	}
	memset(frame + at, 0, 4);
	memcpy(frame + at + 4, data, size);
	send_all(it, frame, at + 4 + size);
}

static void send_message(struct connection *it) {
	if (it->id_at >= 0) {
		hex(it->message + it->id_at, (uint64_t)time(NULL), 8);
		hex(it->message + it->id_at + 8, nonce, 6);
		hex(it->message + it->id_at + 14, ++serial, 10);
	}
	it->sent_at = now();
	if (it->stamp_at >= 0) {
		hex(it->message + it->stamp_at, (uint64_t)it->sender, 4);
		hex(it->message + it->stamp_at + 4, it->sent_at, 16);
	}
	it->waiting = 1;
	if (it->kind == HTTP) send_all(it, it->message, it->message_size);
	else send_frame(it, 1, it->message, it->message_size);
}

static void answer(struct connection *it, int good) {
	if (good && warm) answered++;
	if (!good && failed++ == 0) fprintf(stderr, "load: refused: %.*s\n", (int)it->head_size, it->head);
	record(&acks, now() - it->sent_at);
	it->waiting = 0;
	if (!paced) send_message(it);
}

static size_t count_marks(const uint8_t *data, size_t size) {
	size_t count = 0;
	while (size > 0) {
		uint8_t lanes[32] = {0};
		size_t rounds = size / 32 < 255 ? size / 32 : 255;
		for (size_t round = 0; round < rounds; round++)
			for (int lane = 0; lane < 32; lane++) lanes[lane] += data[round * 32 + (size_t)lane] == '~';
		for (int lane = 0; lane < 32; lane++) count += lanes[lane];
		data += rounds * 32;
		size -= rounds * 32;
		if (size < 32) {
			for (; size > 0; size--) count += *data++ == '~';
		}
	}
	return count;
}

/* Reads each mark; it may be cut by the end of what has arrived. */
static void read_marks(struct connection *it, const uint8_t *data, size_t size) {
	const uint8_t *end = data + size;
	while (data < end) {
		if (it->mark_size == 0) {
			data = memchr(data, '~', (size_t)(end - data));
			if (!data) return;
			data++;
			it->mark_size = 1;
			if (warm) deliveries++;
		}
		while (data < end && it->mark_size <= MARK) it->mark[it->mark_size++ - 1] = *data++;
		if (it->mark_size <= MARK) return;
		it->mark_size = 0;
		uint64_t at = unhex(it->mark + 4, 16);
		if (paced) record(&receipts, now() - at);
		if (it->message_size && it->kind == WEBSOCKET && it->waiting && (int)unhex(it->mark, 4) == it->sender && at == it->sent_at) answer(it, 1);
	}
}

static void read_frames(struct connection *it, const uint8_t *data, size_t size) {
	while (size > 0) {
		if (it->left == 0) {
			it->head[it->head_size++] = *data++;
			size--;
			if (it->head_size < 2) continue;
			uint32_t length = it->head[1] & 127, need = length == 126 ? 4 : length == 127 ? 10 : 2;
			if (it->head_size < need) continue;
			it->opcode = it->head[0] & 15;
			uint64_t left = length;
			if (need > 2) {
				left = 0;
				for (uint32_t i = 2; i < need; i++) left = left << 8 | it->head[i];
			}
			it->left = (int64_t)left;
			it->head_size = 0;
			if (it->opcode == 9) send_frame(it, 10, (const uint8_t *)"", 0);
			continue;
		}
		size_t part = size < (size_t)it->left ? size : (size_t)it->left;
		if (it->opcode <= 2) {
			if (paced || (it->message_size && it->kind == WEBSOCKET)) read_marks(it, data, part);
			else if (warm) deliveries += count_marks(data, part);
		}
		data += part;
		size -= part;
		it->left -= (int64_t)part;
	}
}

static void read_answers(struct connection *it, const uint8_t *data, size_t size) {
	while (size > 0) {
		if (it->left < 0) {
			uint8_t *head_end = NULL;
			while (size > 0 && !head_end) {
				if (it->head_size >= sizeof it->head - 1) die("too long a head");
				it->head[it->head_size++] = *data++;
				size--;
				if (it->head_size >= 4 && memcmp(it->head + it->head_size - 4, "\r\n\r\n", 4) == 0) head_end = it->head + it->head_size;
			}
			if (!head_end) return;
			it->head[it->head_size] = 0;
			char *length = strcasestr((char *)it->head, "\r\ncontent-length:");
			it->opcode = atoi((char *)it->head + 9);
			it->left = length && it->opcode != 304 ? atoll(length + 17) : 0;
		}
		size_t part = size < (size_t)it->left ? size : (size_t)it->left;
		if (it->opcode >= 400 && failed == 0) fprintf(stderr, "load: %.*s\n", (int)part, data);
		data += part;
		size -= part;
		it->left -= (int64_t)part;
		if (it->left == 0) {
			answer(it, it->opcode < 400);
			it->left = -1;
			it->head_size = 0;
		}
	}
}

static void receive(struct connection *it, int epoll) {
	for (;;) {
		ssize_t size = recv(it->fd, buffer, sizeof buffer, MSG_DONTWAIT);
		if (size < 0 && errno == EINTR) continue;
		if (size < 0 && errno == EAGAIN) return;
		if (size <= 0) {
			epoll_ctl(epoll, EPOLL_CTL_DEL, it->fd, NULL);
			close(it->fd);
			closed_count++;
			return;
		}
		if (warm) bytes_in += (uint64_t)size;
		if (it->kind == HTTP) read_answers(it, buffer, (size_t)size);
		else read_frames(it, buffer, (size_t)size);
		if ((size_t)size < sizeof buffer) return;
	}
}

static void connect_all(uint16_t port, int epoll) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (uint32_t i = 0; i < total; i++) {
		struct connection *it = &all[i];
		it->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (it->fd < 0 || connect(it->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
		int one = 1;
		setsockopt(it->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		it->left = it->kind == HTTP ? -1 : 0;
		if (it->kind == WEBSOCKET) {
			send_all(it, it->handshake, it->handshake_size);
			uint32_t size = 0;
			while (size < 4 || memcmp(it->head + size - 4, "\r\n\r\n", 4) != 0) {
				if (size == sizeof it->head || recv(it->fd, it->head + size, 1, 0) != 1) die("the handshake");
				size++;
			}
			if (memcmp(it->head, "HTTP/1.1 101", 12) != 0) {
				fprintf(stderr, "load: no WebSocket: %.*s\n", (int)size, it->head);
				exit(1);
			}
			if (it->hello_size) send_frame(it, 1, it->hello, it->hello_size);
		}
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
		epoll_ctl(epoll, EPOLL_CTL_ADD, it->fd, &event);
	}
}

static uint32_t read_u32(FILE *plan) {
	uint32_t value;
	if (fread(&value, 4, 1, plan) != 1) die("the plan");
	return value;
}

static uint8_t *read_bytes(FILE *plan, uint32_t *size) {
	*size = read_u32(plan);
	uint8_t *data = malloc(*size + 1u);
	if (*size && fread(data, *size, 1, plan) != 1) die("the plan");
	return data;
}

static void read_plan(const char *path) {
	FILE *plan = fopen(path, "rb");
	if (!plan) die(path);
	total = read_u32(plan);
	all = calloc(total, sizeof *all);
	for (uint32_t i = 0; i < total; i++) {
		struct connection *it = &all[i];
		it->sender = (int)i;
		it->kind = (int)read_u32(plan);
		it->handshake = read_bytes(plan, &it->handshake_size);
		it->hello = read_bytes(plan, &it->hello_size);
		it->message = read_bytes(plan, &it->message_size);
		it->id_at = (int32_t)read_u32(plan);
		it->stamp_at = (int32_t)read_u32(plan);
	}
	fclose(plan);
}

int main(int count, char **arguments) {
	if (count != 6) return 2;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	read_plan(arguments[1]);
	uint64_t warm_ns = strtoull(arguments[3], NULL, 10) * 1000000, run_ns = strtoull(arguments[4], NULL, 10) * 1000000;
	double rate = atof(arguments[5]);
	paced = rate > 0;
	nonce = now() & 0xffffff;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	connect_all((uint16_t)atoi(arguments[2]), epoll);
	puts("ready");
	fflush(stdout);

	enum { STDIN = UINT32_MAX, TIMER = UINT32_MAX - 1 };
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)STDIN};
	epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	event.data.u32 = (uint32_t)TIMER;
	epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);

	uint64_t begin = 0, end = UINT64_MAX;
	uint32_t turn = 0;
	struct epoll_event events[512];
	while (now() < end) {
		int ready = epoll_wait(epoll, events, 512, 100);
		for (int i = 0; i < ready; i++) {
			uint32_t which = events[i].data.u32;
			if (which == (uint32_t)STDIN) {
				char line[64];
				if (read(0, line, sizeof line) <= 0) return 0;
				if (run_ns == 0) continue;
				begin = now() + warm_ns;
				end = begin + run_ns;
				if (!paced) {
					for (uint32_t at = 0; at < total; at++) if (all[at].message_size) send_message(&all[at]);
				} else {
					struct itimerspec every = {{0, (long)(1e9 / rate)}, {0, 1}};
					timerfd_settime(timer, 0, &every, NULL);
				}
			} else if (which == (uint32_t)TIMER) {
				uint64_t fired;
				if (read(timer, &fired, sizeof fired) != sizeof fired) continue;
				for (; fired > 0; fired--) {
					uint32_t tries = 0;
					do turn = (turn + 1) % total;
					while ((!all[turn].message_size || all[turn].waiting) && ++tries < total);
					if (tries < total) send_message(&all[turn]);
				}
			} else receive(&all[which], epoll);
		}
		if (begin && !warm && now() >= begin) {
			begin = now();
			warm = 1;
		}
	}
	double seconds = (double)(now() - begin) / 1e9;
	qsort(acks.values, acks.count, sizeof *acks.values, ascending);
	qsort(receipts.values, receipts.count, sizeof *receipts.values, ascending);
	printf("{\"seconds\":%.4f,\"answered\":%lu,\"failed\":%lu,\"deliveries\":%lu,\"closed\":%lu,\"bytes\":%lu,\"ackP50\":%.3f,\"ackP99\":%.3f,"
	       "\"receiveP50\":%.3f,\"receiveP99\":%.3f}\n",
	       seconds, answered, failed, deliveries, closed_count, bytes_in, quantile(&acks, 0.5), quantile(&acks, 0.99), quantile(&receipts, 0.5),
	       quantile(&receipts, 0.99));
	return 0;
}
