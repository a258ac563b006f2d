package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;

class UrlGuardTest {
    private final UrlGuard guard = new UrlGuard(false);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.8.8.8",
                "0.0.0.0",
                "0.1.2.3",
                "10.1.2.3",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "169.254.169.254",
                "100.64.0.1",
                "100.127.255.255",
                "192.0.0.8",
                "198.18.0.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::1",
                "::",
                "fe80::1",
                "fc00::1",
                "fd12:3456::1",
                "ff02::1",
                "::ffff:127.0.0.1",
                "64:ff9b::7f00:1",
                "64:ff9b::a01:203",
                "2002:7f00:1::",
                "2002:a9fe:a9fe::",
                "fec0::1",
                "100::1"
            })
    void addressesThatAreNotPublic(String address) throws Exception {
        assertThat(UrlGuard.isPublic(InetAddress.getByName(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.1.1.1",
                "8.8.8.8",
                "100.63.0.1",
                "100.128.0.1",
                "172.15.0.1",
                "172.32.0.1",
                "192.1.0.1",
                "198.20.0.1",
                "223.255.255.255",
                "2606:4700::1111",
                "64:ff9b::101:101",
                "2002:101:101::"
            })
    void addressesThatArePublic(String address) throws Exception {
        assertThat(UrlGuard.isPublic(InetAddress.getByName(address))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://127.0.0.1/x",
                "https://[::1]:8443/x",
                "https://localhost/x",
                "https://169.254.169.254/latest"
            })
    void refusesHostsOfThisNetwork(String url) {
        assertThatThrownBy(() -> guard.check(URI.create(url)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(url)
                .hasMessageContaining("which is no public address; PACER_ALLOW_PRIVATE_URLS=true allows that");
        assertThatCode(() -> new UrlGuard(true).check(URI.create(url))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://1.1.1.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/"})
    void refusesOtherSchemesEvenWherePrivateAddressesPass(String url) {
        assertThatThrownBy(() -> new UrlGuard(true).check(URI.create(url)))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith("only https is fetched");
    }

    @Test
    void aPasswordIsNeitherTakenNorRepeated() {
        assertThatThrownBy(() -> guard.check(URI.create("https://user:secret@1.1.1.1/x")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("https://1.1.1.1/x")
                .hasMessageNotContaining("secret");
    }

    /** Messages go into histories and logs, and queries may be signatures. */
    @Test
    void messagesShowNoQueryAndNoPassword() {
        assertThat(UrlGuard.shown(URI.create("https://me:secret@example.com:8443/a/b.bin?X-Amz-Signature=secret#part")))
                .isEqualTo("https://example.com:8443/a/b.bin?…");
        assertThat(UrlGuard.shown(URI.create("https://example.com/a"))).isEqualTo("https://example.com/a");
        assertThat(UrlGuard.shown(URI.create("mailto:me"))).isEqualTo("mailto:…");
    }
}
