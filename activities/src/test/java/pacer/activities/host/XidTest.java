package pacer.activities.host;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XidTest {
    @Test
    void aLineOfTheDriverIsRead() {
        assertThat(
                        Xid.in(
                                "4,1234,98765,-;NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=java, GPU has fallen off the bus.\n"))
                .contains(new Xid("PCI:0000:3b:00", 79, "pid=1234, name=java, GPU has fallen off the bus."));
        assertThat(Xid.in("[ 12.5] NVRM: Xid (0000:03:00): 14")).contains(new Xid("0000:03:00", 14, ""));
        assertThat(Xid.in("NVRM: GPU at PCI:0000:3b:00: GPU-0b11d014")).isEmpty();
        assertThat(Xid.in("NVRM: Xid (PCI:0000:3b:00): 99999999999, x")).isEmpty();
    }

    /** As docs/operations.md has them. */
    @ParameterizedTest
    @ValueSource(ints = {46, 48, 54, 62, 64, 74, 79, 95, 109, 110, 119, 120, 136, 140, 143, 151, 155, 156, 158, 160})
    void whatWantsAResetOrARepairDrainsAHost(int code) {
        assertThat(new Xid("PCI:0000:3b:00", code, "").why()).isPresent();
    }

    /** Of applications (NVIDIA's device plugin for Kubernetes leaves out 13, 31, 43, 45 and 68 as well), contained, or information. */
    @ParameterizedTest
    @ValueSource(ints = {8, 13, 31, 32, 43, 45, 61, 63, 68, 69, 92, 94, 121, 137, 999})
    void whatAnApplicationDoesDrainsNothing(int code) {
        assertThat(new Xid("PCI:0000:3b:00", code, "").why()).isEmpty();
    }

    @Test
    void ofNvlink5OnlyWhatTheLineCallsFatalDrains() {
        assertThat(new Xid("PCI:0018:01:00", 149, "NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6)").why())
                .isPresent();
        assertThat(new Xid("PCI:0018:01:00", 149, "NETIR_LINK_EVT Nonfatal XC0 i0 Link 08 (0x004505c6)").why())
                .isEmpty();
    }

    @Test
    void whatTheDriverWantsDoneCounts() {
        assertThat(new Xid(
                                "PCI:0000:3b:00",
                                154,
                                "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)")
                        .why())
                .isPresent();
        assertThat(new Xid(
                                "PCI:0000:3b:00",
                                154,
                                "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)")
                        .why())
                .isEmpty();
    }
}
