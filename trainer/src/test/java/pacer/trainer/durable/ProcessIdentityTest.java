package pacer.trainer.durable;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProcessIdentityTest {
    @Test
    void aProcessIsKnownByItsStartToo() throws Exception {
        Process child = new ProcessBuilder("sleep", "100").start();
        ProcessIdentity identity = ProcessIdentity.of(child.toHandle()).orElseThrow();

        assertThat(identity.find()).isPresent();
        assertThat(new ProcessIdentity(identity.machine(), identity.pid(), "another start").find())
                .isEmpty();
        assertThat(new ProcessIdentity("another host", identity.pid(), identity.start()).find())
                .isEmpty();
        child.destroyForcibly().waitFor();
        assertThat(identity.find()).isEmpty();
    }

    @Test
    void thisProcessIsOneThatIsThere() {
        assertThat(ProcessIdentity.current().find()).contains(ProcessHandle.current());
    }

    @Test
    void whatLacksAPartIsNobody() {
        ProcessIdentity self = ProcessIdentity.current();
        assertThat(new ProcessIdentity(null, self.pid(), self.start()).find()).isEmpty();
        assertThat(new ProcessIdentity(self.machine(), self.pid(), null).find()).isEmpty();
    }
}
