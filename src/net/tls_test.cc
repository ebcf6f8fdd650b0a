#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/client.h"
#include "net/testing/world.h"

namespace headrace::net {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::Wire;
using testing::World;

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(memory);
  return text;
}

// Signed by itself, for these names ("DNS:localhost", "IP:127.0.0.1").
TlsCertificate make_certificate(const std::string& names) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  const std::string title = "headrace test";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(title.data()),
                             static_cast<int>(title.size()), -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate, key, EVP_sha256());
  BIO* chain = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(chain, certificate);
  BIO* secret = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {.chain = text_of(chain), .key = text_of(secret)};
}

const TlsCertificate& certificate() {
  static const TlsCertificate made = make_certificate("DNS:localhost,IP:127.0.0.1");
  return made;
}

core::Task<> echo_or_stream(Exchange& exchange) {
  if (exchange.request().path == "/ws") {
    WebSocketOptions options;
    auto socket = co_await exchange.upgrade(options);
    if (!socket) co_return;
    auto got = co_await (*socket)->receive();
    if (got && got->has_value()) auto sent = co_await (*socket)->send(std::move(**got));
    got = co_await (*socket)->receive();
    co_return;
  }
  auto body = co_await exchange.body(32 << 20);
  auto sent = co_await exchange.start(Status::ok, Headers());
  const std::string_view how = exchange.request().over_tls ? "over TLS " : "in the clear ";
  if (sent) sent = co_await exchange.write(how);
  if (sent && body) sent = co_await exchange.write(*body);
  if (sent) sent = co_await exchange.finish();
}

class TlsTest : public ::testing::Test {
 protected:
  World world{echo_or_stream, {}, certificate()};
  core::Result<Response> send(const ClientOptions& options, std::string url, std::string body = {}) {
    Client client(world.loop.executor(), world.clock, options);
    ClientRequest request;
    request.url = std::move(url);
    request.method = "POST";
    request.body = std::move(body);
    return world.run(client.send(request));
  }
  ClientOptions trusting() {
    ClientOptions options;
    options.trusted_pem = certificate().chain;
    return options;
  }
};

TEST_F(TlsTest, CarriesRequestsOfAnySize) {
  auto answer = send(trusting(), world.url("/"), "x");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "over TLS x");
  const std::string large(20 << 20, 'y');
  answer = send(trusting(), world.url("/"), large);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "over TLS " + large);
}

TEST_F(TlsTest, ChecksWhoTheServerIs) {
  auto unknown = send({}, world.url("/"));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, core::Code::unavailable);
  EXPECT_THAT(unknown.error().message, HasSubstr("certificate: self-signed certificate"));
  EXPECT_TRUE(send(trusting(), "https://localhost" + world.address.substr(world.address.find(':')) + "/"));

  World other(echo_or_stream, {}, make_certificate("DNS:elsewhere.example"));
  Client client(other.loop.executor(), other.clock, trusting());
  ClientRequest request;
  request.url = other.url("/");
  EXPECT_FALSE(other.run(client.send(request)));
}

core::Task<std::string> say(Client& client, std::string url) {
  ClientRequest request;
  request.url = url;
  auto socket = co_await client.websocket(request);
  if (!socket) co_return socket.error().message;
  Message hello{Message::Kind::text, "hello"};
  auto sent = co_await (*socket)->send(hello);
  auto got = co_await (*socket)->receive();
  auto closed = co_await (*socket)->close();
  co_return got && got->has_value() ? (*got)->data : "nothing";
}

TEST_F(TlsTest, CarriesWebSockets) {
  Client client(world.loop.executor(), world.clock, trusting());
  EXPECT_EQ(world.run(say(client, "wss://" + world.address + "/ws")), "hello");
}

TEST_F(TlsTest, EndsAHandshakeThatDoesNotComeToAnEnd) {
  Wire silent = world.connect();
  Wire half = world.connect();
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  world.advance(seconds(9));
  EXPECT_FALSE(silent.closed());
  world.advance(seconds(2));
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(half.closed());
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
}

TEST_F(TlsTest, EndsWithAClientThatSpeaksPlainHttp) {
  EXPECT_THAT(world.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), ::testing::Not(HasSubstr("HTTP/1.1")));
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
}

TEST_F(TlsTest, RefusesWhatIsNoCertificate) {
  const auto refused = [&](TlsCertificate bad) { return world.server->listen("127.0.0.1:0", bad).error().message; };
  EXPECT_THAT(refused({"nonsense", certificate().key}), HasSubstr("certificate cannot be read"));
  EXPECT_THAT(refused({certificate().chain, "nonsense"}), HasSubstr("key cannot be read"));
  EXPECT_THAT(refused({certificate().chain, make_certificate("DNS:x").key}), HasSubstr("does not belong"));
}

}  // namespace
}  // namespace headrace::net
