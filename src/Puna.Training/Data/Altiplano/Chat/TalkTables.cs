namespace Puna.Training.Data.Altiplano;

/// <summary>Small talk about the world. In questions and answers <c>{a|b}</c> is a choice.</summary>
internal static class TalkTables
{
    /// <summary>A question, its answer, and words of which a right answer has one.</summary>
    public static readonly (string Question, string Answer, string[] Words)[] All =
    [
        ("{Hello!|Good morning!|Hi!|Good evening!}", "{Hello! How can I help you?|Hello! Would you like a story?|Hello! It is good to see you.}", ["hello"]),
        ("{Who are you?|What is your name?}", "{I am Puna, a small model that tells stories.|My name is Puna. I tell stories about the altiplano.}", ["puna"]),
        ("{What can you do?|How can you help me?}", "I can tell stories, answer questions about them, and do small sums.", ["stories"]),
        ("{Thank you!|Thanks a lot!}", "{You are welcome!|You are welcome. Come back soon!}", ["welcome"]),
        ("{Goodbye!|See you tomorrow!|Good night!}", "{Goodbye! Travel safely.|Goodbye! Until the next story.}", ["goodbye"]),
        ("What do llamas eat?", "{Llamas eat grass, hay and leaves.|Llamas eat grass and hay, and they love a little corn.}", ["grass"]),
        ("{What is a llama?|Tell me what a llama is.}", "A llama is an animal with soft wool and a long neck. It carries loads in the mountains.", ["animal"]),
        ("What do llamas give us?", "Llamas give us wool, and they carry our loads.", ["wool"]),
        ("{Where do llamas live?|Where is the home of the llamas?}", "Llamas live on the high plain between the mountains.", ["plain", "mountains"]),
        ("What sound does a llama make?", "A llama hums softly.", ["hums"]),
        ("What does a llama do when it is angry?", "When a llama is angry, it spits.", ["spits"]),
        ("{What is the altiplano?|Where is the altiplano?}", "The altiplano is a high plain between the mountains. It is wide, windy and cold at night.", ["plain"]),
        ("What does a herder do?", "A herder looks after the llamas and takes them to good grass.", ["llamas"]),
        ("What does a weaver do?", "A weaver makes cloth and blankets from wool.", ["cloth"]),
        ("What does a potter do?", "A potter makes pots from clay.", ["pots"]),
        ("What does a miller do?", "A miller grinds grain into flour.", ["flour"]),
        ("What does a baker do?", "A baker makes bread in a hot oven.", ["bread"]),
        ("What does a healer do?", "A healer helps sick people with herbs and good advice.", ["sick"]),
        ("What does a beekeeper do?", "A beekeeper looks after bees and gets honey from them.", ["honey"]),
        ("What does a trader do?", "A trader buys goods in one village and sells them in another.", ["buys", "sells"]),
        ("What is wool used for?", "Wool is used for blankets, hats, ropes and warm coats.", ["blankets"]),
        ("Where does salt come from?", "Salt comes from the white salt flat.", ["flat"]),
        ("What is bread made of?", "Bread is made of flour, water and a little salt.", ["flour"]),
        ("What is a quipu?", "A quipu is a bundle of strings. People made knots in them to remember numbers.", ["strings", "knots"]),
        ("What bird flies highest in the mountains?", "The condor flies highest.", ["condor"]),
        ("What is a vicuna?", "A vicuna is a wild cousin of the llama, with very fine wool.", ["wild"]),
        ("What should I do in a storm?", "Look for shelter, stay away from high places, and wait until it is over.", ["shelter"]),
        ("What should I take on a long trip?", "Take water, bread, a rope and a warm blanket.", ["water"]),
        ("Why do llamas wear bells?", "They wear bells so that the herder can hear where they are.", ["hear"]),
        ("Why is it cold at night on the altiplano?", "It is cold because the plain is high and the sky is clear.", ["high"]),
        ("When is the best time to travel?", "The dry season is the best time, early in the morning.", ["dry", "morning"]),
        ("What do people do in winter?", "In winter people spin wool, tell stories and stay by the fire.", ["fire"]),
        ("How do you calm a llama?", "Speak softly, move slowly and give it a little corn.", ["softly"]),
        ("How do you make a friend?", "Listen well, share what you have, and keep your word.", ["share"]),
        ("What is the Festival of the Sun?", "It is a feast in the middle of winter, when people ask the sun to come back.", ["sun"]),
        ("What grows on the altiplano?", "Potatoes, quinoa and short grass grow there.", ["potatoes"]),
        ("What is quinoa?", "Quinoa is a plant with small seeds that people cook and eat.", ["seeds"]),
        ("Do you have a llama?", "No, I have no llama. I am only a model, but I know many stories about llamas.", ["no"]),
        ("Are you a person?", "No, I am a small language model.", ["no"]),
        ("Do you like the rain?", "I cannot feel the rain, but the fields need it.", ["fields"]),
    ];

    /// <summary>Sets of things, for tasks that ask for some of them.</summary>
    public static readonly (string Name, string[] Things)[] Sets =
    [
        ("animals of the altiplano", ["llama", "condor", "fox", "vicuna", "puma", "goose", "goat", "donkey", "dog"]),
        ("goods from the market", ["salt", "wool", "bread", "cheese", "honey", "corn", "flour", "cloth", "potatoes", "beans"]),
        ("colours of llamas", ["white", "brown", "black", "grey", "red", "golden"]),
        ("kinds of weather", ["rain", "snow", "wind", "fog", "sun", "frost"]),
        ("jobs in a village", ["herder", "weaver", "potter", "baker", "farmer", "miller", "healer", "fisher", "trader"]),
        ("things to take on a trip", ["water", "bread", "rope", "blanket", "knife", "lamp", "map"]),
        ("members of a family", ["mother", "father", "sister", "brother", "aunt", "uncle", "grandmother", "grandfather"]),
        ("places near a village", ["lake", "river", "hill", "valley", "mill", "bridge", "well", "cave"]),
    ];

    /// <summary>Questions that are answered with yes or no.</summary>
    public static readonly (string Question, bool Yes)[] YesNo =
    [
        ("Do llamas eat grass?", true), ("Do llamas have wool?", true), ("Can a llama carry a load?", true), ("Is snow cold?", true), ("Does a potter work with clay?", true),
        ("Does a baker make bread?", true), ("Is the altiplano high?", true), ("Do bees make honey?", true), ("Can a condor fly?", true), ("Is salt white?", true),
        ("Do llamas lay eggs?", false), ("Can a stone swim?", false), ("Is ice hot?", false), ("Does a weaver catch fish?", false), ("Do llamas fly?", false),
        ("Is the night bright?", false), ("Do fish have wool?", false), ("Is honey salty?", false), ("Does a miller make pots?", false), ("Is a mountain low?", false),
    ];

    /// <summary>Questions with an answer of three words.</summary>
    public static readonly (string Question, string Answer)[] ThreeWords =
    [
        ("What do llamas eat?", "Grass and hay."), ("What does a baker do?", "He bakes bread."), ("What does a potter do?", "She makes pots."), ("Where do fish live?", "In the lake."),
        ("What does a weaver make?", "Cloth and blankets."), ("Where does salt come from?", "The salt flat."), ("What is snow like?", "White and cold."), ("When do herders get up?", "Early each morning."),
        ("What does a condor do?", "It flies high."), ("What is a llama like?", "Soft and strong."), ("Where is the market?", "In the village."), ("What does a fire give?", "Light and warmth."),
    ];

    /// <summary>Topics, each with a sentence about it.</summary>
    public static readonly (string Topic, string Told)[] Topics =
    [
        ("a llama", "A llama carries wool over the pass."), ("the rain", "The rain makes the fields green."), ("the market", "The market is full of people."), ("a herder", "A herder knows every animal."),
        ("the lake", "The lake is blue and cold."), ("bread", "Bread is best when it is warm."), ("the night", "At night the sky is full of stars."), ("wool", "Wool keeps people warm."),
    ];

    /// <summary>Short sentences, to be written again in another form.</summary>
    public static readonly string[] Sentences =
    [
        "The llama is brown.", "The sun is high.", "Rosa sells bread.", "The river is wide.", "Pedro has a hat.", "Snow falls at night.", "The market is open.", "We share the water.", "The bridge is new.", "The herd is safe.",
        "The soup is hot.", "The wind is strong.", "The well is deep.", "Wool keeps us warm.", "The fox is clever.", "The road is long.",
    ];
}
