#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "net/server.h"

namespace headrace::net {

namespace {

template <auto free>
struct Free {
  void operator()(auto* thing) const { free(thing); }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Free<SSL_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return code == 0 ? "the connection ended within TLS" : text.data();
}

// The socket as OpenSSL sees it: its own socket BIO writes without MSG_NOSIGNAL, and a client that has gone would end
// us.
int write_socket(BIO* bio, const char* data, size_t size, size_t* written) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      ::send(static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))), data, size, MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  *written = sent > 0 ? static_cast<size_t>(sent) : 0;
  return sent > 0 ? 1 : 0;
}

int read_socket(BIO* bio, char* data, size_t size, size_t* read) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))), data, size, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  *read = got > 0 ? static_cast<size_t>(got) : 0;
  return got > 0 ? 1 : 0;
}

long control_socket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

BIO_METHOD* socket_method() {
  static const std::unique_ptr<BIO_METHOD, Free<BIO_meth_free>> method = [] {
    std::unique_ptr<BIO_METHOD, Free<BIO_meth_free>> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "headrace socket"));
    BIO_meth_set_write_ex(made.get(), write_socket);
    BIO_meth_set_read_ex(made.get(), read_socket);
    BIO_meth_set_ctrl(made.get(), control_socket);
    return made;
  }();
  return method.get();
}

class OpenSslSession final : public TlsSession {
 public:
  OpenSslSession(Session ssl, bool client) : ssl_(std::move(ssl)), client_(client) {}

  Step shake_hands() override {
    ERR_clear_error();
    const int done = client_ ? SSL_connect(ssl_.get()) : SSL_accept(ssl_.get());
    if (done == 1) return {.kind = Step::Kind::moved};
    Step step = step_of(done);
    const long verified = SSL_get_verify_result(ssl_.get());
    if (step.kind == Step::Kind::failed && verified != X509_V_OK)
      step.reason = std::string("certificate: ") + X509_verify_cert_error_string(verified);
    return step;
  }

  Step read(std::span<std::byte> into) override {
    ERR_clear_error();
    size_t bytes = 0;
    const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    return done == 1 ? Step{.kind = Step::Kind::moved, .bytes = bytes} : step_of(done);
  }

  Step write(std::string_view from) override {
    ERR_clear_error();
    size_t bytes = 0;
    const int done = SSL_write_ex(ssl_.get(), from.data(), from.size(), &bytes);
    return done == 1 ? Step{.kind = Step::Kind::moved, .bytes = bytes} : step_of(done);
  }

  void finish() override {
    ERR_clear_error();
    if (!broken_ && SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

 private:
  Step step_of(int done) {
    switch (SSL_get_error(ssl_.get(), done)) {
      case SSL_ERROR_WANT_READ: return {.kind = Step::Kind::wants_read};
      case SSL_ERROR_WANT_WRITE: return {.kind = Step::Kind::wants_write};
      case SSL_ERROR_ZERO_RETURN: return {.kind = Step::Kind::ended};
      default: break;
    }
    broken_ = true;  // SSL_shutdown(3): not after a fatal error
    return {.kind = Step::Kind::failed, .reason = openssl_reason()};
  }

  Session ssl_;
  bool client_;
  bool broken_ = false;
};

class OpenSslContext final : public TlsContext {
 public:
  OpenSslContext(Context context, bool client) : context_(std::move(context)), client_(client) {}

  std::unique_ptr<TlsSession> open(int descriptor, const std::string& host) override {
    Session ssl(SSL_new(context_.get()));
    BIO* bio = BIO_new(socket_method());
    if (!ssl || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl.get(), bio, bio);
    if (client_) expect(ssl.get(), host);
    return std::make_unique<OpenSslSession>(std::move(ssl), client_);
  }

 private:
  // RFC 6125: the certificate must name the host; RFC 6066, section 3: an address is not sent as a server name.
  static void expect(SSL* ssl, const std::string& host) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1) return;
    ERR_clear_error();
    SSL_set1_host(ssl, host.c_str());
    SSL_set_tlsext_host_name(ssl, host.c_str());
  }

  Context context_;
  bool client_;
};

int choose_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                    void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, http_1_1.data(), http_1_1.size(), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Context make_context(const SSL_METHOD* method) {
  Context context(SSL_CTX_new(method));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Memory memory_of(const std::string& text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<size_t>(text.size(), INT_MAX))));
}

int no_passphrase(char*, int, int, void*) { return 0; }  // never ask at the terminal

bool use_chain(SSL_CTX* context, const std::string& pem) {
  Memory memory = memory_of(pem);
  Certificate first(PEM_read_bio_X509_AUX(memory.get(), nullptr, no_passphrase, nullptr));
  if (!first || SSL_CTX_use_certificate(context, first.get()) != 1) return false;
  while (X509* next = PEM_read_bio_X509(memory.get(), nullptr, no_passphrase, nullptr))
    if (SSL_CTX_add0_chain_cert(context, next) != 1) return X509_free(next), false;
  ERR_clear_error();  // the end of the text
  return true;
}

bool trust(SSL_CTX* context, const std::string& pem) {
  if (pem.empty()) return SSL_CTX_set_default_verify_paths(context) == 1;
  Memory memory = memory_of(pem);
  size_t count = 0;
  while (Certificate next{PEM_read_bio_X509(memory.get(), nullptr, no_passphrase, nullptr)})
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next.get()) == 1) ++count;
  ERR_clear_error();
  return count > 0;
}

}  // namespace

core::Result<std::shared_ptr<TlsContext>> make_server_tls(const std::string& chain_pem, const std::string& key_pem) {
  Context context = make_context(TLS_server_method());
  if (!use_chain(context.get(), chain_pem))
    return core::fail(core::Code::invalid,
                      "The TLS certificate cannot be read: it must be PEM, the server's own first.", openssl_reason());
  Memory memory = memory_of(key_pem);
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr));
  if (!key)
    return core::fail(core::Code::invalid, "The TLS key cannot be read: it must be PEM, without a pass phrase.",
                      openssl_reason());
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 || SSL_CTX_check_private_key(context.get()) != 1)
    return core::fail(core::Code::invalid, "The TLS key does not belong to the certificate.", openssl_reason());
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);  // clients that close without a goodbye are many
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http_1_1, nullptr);
  return std::make_shared<OpenSslContext>(std::move(context), false);
}

core::Result<std::shared_ptr<TlsContext>> make_client_tls(const std::string& trusted_pem) {
  Context context = make_context(TLS_client_method());
  if (!trust(context.get(), trusted_pem))
    return core::fail(core::Code::invalid, "The trusted certificates cannot be read: they must be PEM.",
                      openssl_reason());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context.get(), http_1_1.data(), http_1_1.size());
  return std::make_shared<OpenSslContext>(std::move(context), true);
}

std::string_view tls_library() { return OpenSSL_version(OPENSSL_VERSION); }

}  // namespace headrace::net
