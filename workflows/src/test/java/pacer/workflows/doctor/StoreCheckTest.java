package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import pacer.activities.store.S3Server;

/** A real S3 server, with one right missing at a time. */
@Timeout(120)
class StoreCheckTest {
    private static final List<String> ALL = List.of(
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:ListBucket",
            "s3:AbortMultipartUpload",
            "s3:ListBucketMultipartUploads");

    @RegisterExtension
    static final S3Server SERVER = new S3Server();

    private static List<Finding> findings(Map<String, String> environment) throws InterruptedException {
        return new StoreCheck(environment).findings();
    }

    private static List<Finding> without(String right) throws Exception {
        List<String> others = ALL.stream().filter(one -> !one.equals(right)).toList();
        return findings(SERVER.environmentOf(
                "without-" + right.replaceAll("[^A-Za-z]", "").toLowerCase(java.util.Locale.ROOT), others));
    }

    @Test
    void aStoreThatAllowsEverythingHasNothingWrongAndIsLeftAsItWas() throws Exception {
        Found.nothingWrong(findings(SERVER.environment("some/prefix")));
        try (var objects = Files.walk(SERVER.file("some"))) {
            assertThat(objects.filter(Files::isRegularFile)).isEmpty();
        } catch (java.nio.file.NoSuchFileException nothing) {
            assertThat(SERVER.file("some")).doesNotExist();
        }
    }

    @Test
    void theRightsThatAreNamedAreEnough() throws Exception {
        Found.nothingWrong(findings(SERVER.environmentOf("all", ALL)));
    }

    @Test
    void aRightThatIsMissingIsNamed() throws Exception {
        assertThat(Found.bad(without("s3:DeleteObject"), "store", "cannot delete an object")
                        .remedy())
                .contains("s3:DeleteObject");
        assertThat(Found.bad(
                                without("s3:ListBucketMultipartUploads"),
                                "store",
                                "cannot begin and end an upload in parts")
                        .remedy())
                .contains("s3:ListBucketMultipartUploads");
        Found.bad(without("s3:PutObject"), "store", "AccessDenied");
    }

    @Test
    void aSecretThatIsWrongAndABucketThatIsNotThereAreSaid() throws Exception {
        Map<String, String> wrong = SERVER.environment("");
        wrong.put("AWS_SECRET_ACCESS_KEY", "another");
        assertThat(Found.bad(findings(wrong), "store", "AWS_SECRET_ACCESS_KEY").text())
                .doesNotContain("another");
        Map<String, String> elsewhere = SERVER.environment("");
        elsewhere.put("PACER_STORE", "s3://elsewhere");
        Found.bad(findings(elsewhere), "store", "elsewhere");
    }
}
