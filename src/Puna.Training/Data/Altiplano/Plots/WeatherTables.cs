namespace Puna.Training.Data.Altiplano;

/// <summary>Phrasings of the weather.</summary>
internal static class WeatherTables
{
    /// <summary>Sentences that tell today's weather.</summary>
    public static string[] Of(Weather weather) => weather switch
    {
        Weather.Sun =>
        [
            "The sun was shining{| on the roofs of [v]| from a blue sky}", "It was a {clear|bright|beautiful} day{| without a cloud|, and the mountains looked very near}",
            "The sky was {blue|clear} {and the air was still|from one end to the other}", "{Everything|The whole plain|Every roof in [v]} {shone|was bright} in the sun", "It was warm {in the sun and cold in the shade|for the time of the year}",
        ],
        Weather.Cloud =>
        [
            "{Grey|Low|Heavy} clouds hung over the {hills|mountains|plain}", "It was a grey{| and quiet} day", "The sky was full of clouds{|, but no rain fell}", "The sun {hid behind the clouds|showed itself only for a moment} that day", "A {low|grey} sky {lay over [v]|hid the mountains}",
        ],
        Weather.Rain =>
        [
            "Big drops {ran down the walls|fell into the puddles}", "Water ran {down the streets of [v]|over the stones of the yard}", "It was raining{| hard| again|, and the paths were muddy}", "Rain {was falling on|drummed on} the {roofs|fields|stones}", "It had rained {all night|for hours|for three days}, and {everything was wet|the ground was soft}",
        ],
        Weather.Wind =>
        [
            "The wind {sang in the grass|shook every door in [v]|smelled of snow|did not rest for a moment}", "A strong wind was blowing{| from the mountains| across the plain}", "It was a windy day{|, and dust flew over the road|, and everybody held on to their hats}", "The wind {pulled at the roofs|blew dust along the street|had been blowing for days}",
        ],
        Weather.Fog =>
        [
            "{The houses of [v]|The trees and the walls} {floated in the fog|looked like ghosts in the fog}", "{Thick|White} fog lay over {the hills|the plain|[v]}", "It was so foggy that {nobody could see the next house|the mountains had disappeared|the well could not be seen from the door}", "The fog {had come in the night|did not lift for hours|was as thick as wool}",
        ],
        Weather.Snow =>
        [
            "The first snow of the {year|winter} had come", "Everything was white{|, and every sound was soft}", "Snow was falling{| on the mountains| in big soft flakes|, and the roofs were white}", "It had snowed {in the night|for hours|for two days}", "The {paths|hills|fields} lay under {fresh|deep} snow",
        ],
        Weather.Frost =>
        [
            "It was so cold that {the water in the bucket had turned to ice|breath hung in the air|the grass was white}", "The stars had been very bright, and now {the ground was hard|there was frost on every wall}", "Ice {covered the puddles|shone on the stones|hung from the roofs}", "It was {clear and cold|bitterly cold}",
        ],
        _ =>
        [
            "Dark clouds {stood over the mountains|were coming from the west}, and {thunder rolled far away|the air was heavy}", "Far away there was thunder", "{The swallows flew low|The animals were restless}, and {everybody looked at the sky|a storm was near}", "The first {lightning|thunder} {came|had come} {from behind the hills|over the mountains}", "The air was {heavy|hot and still}, {as it is before a storm|and the first thunder could be heard}",
        ],
    };

    /// <summary>Sentences that tell the weather when the sun is not to be seen whatever the weather.</summary>
    public static string[] InTheDark(Weather weather) => weather switch
    {
        Weather.Sun => ["The sky was clear{| and full of stars}", "The air was clear and still", "There was not a cloud in the sky"],
        Weather.Cloud => ["Clouds hid the {stars|moon}", "There was not a star to be seen"],
        _ => Of(weather),
    };

    /// <summary>What a morning is called, and how it begins.</summary>
    public static (string Adjective, string Dawn) Morning(Weather weather, Season season) => weather switch
    {
        Weather.Sun => (season == Season.Winter ? "{bright|clear|cold}" : "{bright|clear|warm}", SunUp),
        Weather.Cloud => ("{grey|quiet}", DayLight),
        Weather.Rain => ("{wet|grey}", DayLight),
        Weather.Wind => ("windy", SunUp),
        Weather.Fog => ("{grey|foggy}", DayLight),
        Weather.Snow => ("{cold|snowy}", DayLight),
        Weather.Frost => ("{cold|frosty}", SunUp),
        _ => ("{dark|stormy}", DayLight),
    };

    private const string SunUp = "the sun came over the {mountains|hills|roofs}";
    private const string DayLight = "{it grew light|the day began}";

    /// <summary>First sentences of a story that begin with the weather and bring in the hero.</summary>
    public static string[] First(Weather weather) => weather switch
    {
        Weather.Sun =>
        [
            "The sun was {shining|already high} when [h] {came out of the house|left the house|opened the door}", "It was {a day without a cloud|a bright day in [v]}, and [h] {was in a good mood|whistled at work|sat in front of the house}",
            "There was not a cloud in the sky {over [v]|} when [h] {began to work|got up|woke up}",
        ],
        Weather.Cloud =>
        [
            "Grey clouds hung over [v], and [h] {did not know whether it would rain|put on a warm coat|looked up at the sky}", "The morning was grey and quiet when [h] {opened the gate|got up|went out}",
        ],
        Weather.Rain =>
        [
            "The rain had not stopped for {two|three|four} days, and [h] {was tired of sitting inside|looked out of the window|listened to the drops on the roof}", "It was raining in [v], and [h] {had wet feet|stood under the roof and waited|ran across the yard}",
            "Rain was falling when [h] {got up|opened the door|came home}",
        ],
        Weather.Wind =>
        [
            "The wind blew over the roofs of [v], and [h] {could hardly close the door|held on to [h.his] hat|tied everything down}", "The wind was strong that day, but [h] {had to go out|did not mind|went out all the same}",
        ],
        Weather.Fog =>
        [
            "Fog lay over [v] when [h] {opened the door|went out|woke up}", "The fog was so thick that [h] {could not see the gate|nearly walked into the well|had to feel the wall with one hand}",
        ],
        Weather.Snow =>
        [
            "Snow had fallen in the night, and [h] {had to dig a path to the well|found the door blocked|was the first to walk in it}", "It was snowing in [v] when [h] {lit the fire|woke up|looked out}",
        ],
        Weather.Frost =>
        [
            "The night had been so cold that the well was frozen, and [h] {had to break the ice|blew on [h.his] hands|put on two hats}", "Ice covered the road to [v] when [h] {went out|came out of the house}",
        ],
        _ =>
        [
            "Thunder rolled over the mountains, and [h] {looked up|counted the seconds|closed the window}", "A storm was coming, and everybody in [v] could feel it, even [h]", "The clouds were black that {day|morning}, and [h] {did not like it|hurried}",
        ],
    };
}
