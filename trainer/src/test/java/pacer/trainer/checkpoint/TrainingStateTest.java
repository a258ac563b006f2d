package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TrainingStateTest {

    @Test
    void aStateIsReadBackAsItWas() throws Exception {
        TrainingState state = States.at(7, 1.5);
        assertThat(Json.MAPPER.readValue(Json.MAPPER.writeValueAsBytes(state), TrainingState.class))
                .isEqualTo(state);
    }

    /** As the first builds wrote it. */
    @Test
    void aModelOfWhichAnOldStateSaysLittleIsGpt2() throws Exception {
        String old = """
                {"step":7,"samples":84,"specHash":"5pec","gitCommit":"c0ffee","validationLoss":1.5,"bestValidationLoss":1.5,
                 "tokenizer":"gpt2","vocabulary":null,"model":{"layers":4,"heads":4,"width":128,"sequenceLength":64,
                 "vocabulary":65,"bias":false,"activation":"gelu_tanh","normEpsilon":1.0E-5,"dropout":0.0,"tiedHead":true},
                 "worldSize":1,"skips":{"inARow":1,"inAll":3}}
                """;
        assertThat(Json.MAPPER.readValue(old, TrainingState.class).model())
                .isEqualTo(States.at(7, 1.5).model());
    }
}
