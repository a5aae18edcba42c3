/**
 * What people of a class say whatever they talk about: agreeing, asking, thanking, correcting, in English and Indonesian.
 *
 * `{name}` is whom it is said to.
 */
const lines = (text: TemplateStringsArray) => text[0]!.trim().split(/\n\s*/)

/** What may stand before an opinion. An empty one: nothing. */
export const openers = lines`
	–
	–
	–
	–
	In my opinion:
	To be honest:
	I have thought about this for a while.
	Here is my answer.
	My turn!
	OK, I will try.
	This is what I wrote at home:
	Good morning everybody.
	I am late, sorry.
	First of all:
	A different view:
	Let me add something.`

/** What may stand between two sentences that support each other. */
export const bridges = lines`
	–
	–
	–
	Why?
	And one more thing:
	Listen:
	It is simple.
	You have to know:
	That is not all.
	Believe me.
	How come?`

export const agreements = lines`
	I agree with {name}.
	{name}, you said it better than I could.
	That’s exactly what I wanted to say!
	Good point, {name}. I had not thought of that.
	I see it the same way.
	Yes! 👏
	You are right, and I take back what I wrote before.
	{name}, your example convinced me.
	I would go even further.
	Same here, {name} 😄
	True.
	I was going to write this, word for word.
	I like the second sentence best.
	That makes sense to me.`

export const doubts = lines`
	I am not sure, {name}.
	I see your point, but I think it is only half of the story.
	Hmm, I don’t agree with the last sentence.
	Interesting, {name}, although my experience is the opposite.
	Sorry, I have to disagree here 🙈
	But isn’t that the exception?
	Maybe in a big city. In my village it is different.
	With respect, {name}: how do you know?
	I would say the contrary.
	That depends.`

export const thanks = lines`
	Thank you, {name}! I changed it.
	Ah, of course. Thanks!
	Thank you, I always forget this one.
	Noted, thank you Ma’am/Sir 🙏
	Thanks {name}, now I see the difference.
	Terima kasih, {name}! Sudah saya perbaiki.
	Oh no, again! Thank you.
	Thank you for reading so carefully.`

export const reactions = lines`
	😂😂😂
	👍
	Haha, I can see it in front of me.
	❤️ this
	Wow.
	🙌🏽
	Same!
	Me too, every single time 😅
	I needed that today, thank you.
	👀
	Can’t wait for Thursday.
	🌧️☂️
	Well said.
	So true 🤝
	This made my evening.
	🇮🇩🤝🇮🇪
	Wkwkwk 😂
	LOL`

/** By who teaches. */
export const feedback = lines`
	Lovely, {name}. The second sentence is very natural.
	Good work. Can you say the same in one sentence?
	Thank you, {name}. Now tell us “why”.
	A strong beginning! Watch the article before “university”: “a” university.
	I like how you used the linking word. Who can add another one?
	{name}, this is clear and honest. Well done.
	Please read {name}’s message aloud at home. It has a nice rhythm.
	Good. One question: who is “they” in your last sentence?
	Very good example. Please bring it to class on Thursday.
	I underlined two phrases on your paper. Have a look, and then write it once more here.
	That is a brave opinion. Let us hear somebody who disagrees.
	Nice use of the past continuous!
	Short and good. It doesn’t always have to be long.
	{name}, I laughed. And the grammar is right, too.
	Bagus sekali, {name}. Coba sekarang dalam bahasa Inggris, ya.
	Who can find a synonym for “interesting” in this message?
	Careful with “very”: perhaps “exhausted” instead of “very tired”?
	I see three good arguments here. Which one is the strongest?`

/** By who teaches, to all. */
export const announcements = lines`
	A reminder: please write at least once before Friday, and answer at least one classmate.
	I have read everything up to here. You are doing very well. ✨
	Half of you still hide in the silence. Don’t be shy, mistakes are welcome here!
	On Thursday we work in pairs with what you wrote here. Bring a pencil.
	Tip: write first, correct later. The pencil button lets you change your text afterwards.
	Let me sum up: most of you are for it, with conditions. Does anybody see it differently?
	Great energy this week. I printed three of your messages for the wall.
	Besok kelas mulai pukul 8.15 karena ada upacara. See you!
	The recording of our last lesson is in the library. Please use headphones.
	Question of the day: which word did you look up most recently?`

/** What was written, how it should be, and why. */
export const mistakes: readonly (readonly [wrong: string, right: string, why: string])[] = [
	[
		'I am agree with the most of you.',
		'I agree with most of you.',
		'“Agree” is a verb: “I agree”, without “am”. And “most of you” needs no “the”.',
	],
	[
		'She go there every day since January.',
		'She has gone there every day since January.',
		'With “since” we use the present perfect: “she has gone”.',
	],
	[
		'It is more better when we discuss about it.',
		'It is better when we discuss it.',
		'“Better” is already comparative, and we “discuss something” without “about”.',
	],
	['I very like this topic.', 'I like this topic very much.', '“Very much” goes to the end: “I like it very much”.'],
	[
		'Many informations in the text was new for me.',
		'Much of the information in the text was new to me.',
		'“Information” has no plural, and it is new “to” me.',
	],
	[
		'In the last weekend I have visited my aunt.',
		'Last weekend I visited my aunt.',
		'A finished time takes the past simple: “last weekend I visited”.',
	],
	[
		'Although it was raining, but we went out.',
		'Although it was raining, we went out.',
		'“Although” and “but” don’t stand together. One of them is enough.',
	],
	['I’m boring when nobody answers.', 'I’m bored when nobody answers.', 'You are “bored”; the lesson is “boring”. (It isn’t, I hope!)'],
	['Can you explain me this sentence?', 'Can you explain this sentence to me?', 'We “explain something to somebody”.'],
	[
		'He said me that he will come.',
		'He told me that he would come.',
		'“Tell somebody”, “say something”; and after a past verb “will” becomes “would”.',
	],
	[
		'The peoples in my village is very friendly.',
		'The people in my village are very friendly.',
		'“People” is already plural: “people are”.',
	],
	[
		'I look forward to hear your opinion.',
		'I look forward to hearing your opinion.',
		'Here “to” is a preposition: “look forward to hearing”.',
	],
	['If I will have time, I join you.', 'If I have time, I will join you.', 'No “will” after “if”: “if I have time, I will join”.'],
	['We was waiting since one hour.', 'We had been waiting for an hour.', '“For” an hour (how long), “since” ten o’clock (from when).'],
	[
		'My hobby is swim and listen music.',
		'My hobbies are swimming and listening to music.',
		'Use “-ing” for activities, and “listen to” something.',
	],
	['There have many ways to go there.', 'There are many ways to go there.', '“There are” for what exists; “have” needs somebody who has.'],
	['It depends of the weather.', 'It depends on the weather.', '“Depend on”, always.'],
	['I did a mistake in the first line.', 'I made a mistake in the first line.', 'We “make” a mistake and “do” the homework.'],
	['She is married with a doctor.', 'She is married to a doctor.', 'Married “to” somebody.'],
	['I am living here for five years.', 'I have lived here for five years.', 'It began in the past and goes on: “I have lived”.'],
	['Nobody didn’t understand the joke.', 'Nobody understood the joke.', '“Nobody” is negative enough by itself.'],
	['I suggest you to read it again.', 'I suggest that you read it again.', '“Suggest that somebody does” or “suggest doing”.'],
	['How is called this in English?', 'What is this called in English?', '“What” is it called, and the verb “is” comes before “this”.'],
	['According to me, it’s too expensive.', 'In my opinion, it’s too expensive.', '“According to” is for others: “according to the text”.'],
]

/** How a correction begins. */
export const corrections = lines`
	Small correction, {name}:
	Almost perfect. One thing:
	Good idea, {name}! About the grammar:
	Let us repair one sentence together.
	{name}, look at this again:`

/** How a mistake goes on, so that the message is not only the mistake. */
export const afterMistakes = lines`
	What do the others think?
	I hope you understand what I mean.
	This is my opinion for now.
	Please correct me!
	I will write more tomorrow.
	Sorry for my English.`

/** Indonesian answers. */
export const jawaban = lines`
	Setuju banget, {name}!
	Wah, saya baru tahu. Terima kasih, {name}.
	Hehe, sama, saya juga begitu.
	Boleh minta contohnya satu lagi, {name}?
	Kalau dalam bahasa Inggris gimana bilangnya, ya?
	Maaf baru balas, sinyalnya hilang-hilang dari tadi sore.
	Semangat terus, {name}! 💪
	Betul sekali, ibu saya juga bilang begitu.
	Saya agak kurang paham kalimat kedua, bisa dijelaskan?
	Mantap! Nanti saya pinjam kalimatnya buat presentasi, ya.
	Kocak sih ini 😂
	Nah, ini dia yang saya cari.
	Menurut saya tidak selalu begitu, tergantung orangnya.
	Izin menambahkan sedikit, {name}.
	Terima kasih banyak, sangat membantu.
	Iya juga, ya… saya pikir-pikir lagi deh.
	Pelan-pelan saja, {name}, yang penting dicoba.
	Aku ngakak di angkot sampai dilihatin orang.`

/** In the writing of those who have another one. */
export const otherwise: Readonly<Record<string, readonly string[]>> = {
	فاطمة: ['كما نقول في بيتنا: «من جدّ وجد». In English: who works hard, finds.', 'شكرًا جزيلًا يا أصدقاء! Thank you, friends. 🌸'],
	أحمد: [
		'في لغتي نقول «العلم نور» (knowledge is light). 100% of my family says it!',
		'هذا سؤال صعب… but I will try to answer it in English (3 sentences).',
	],
	יעל: ['סבתא שלי אומרת: "לאט לאט". My grandmother says: slowly, slowly.', 'תודה רבה! I wrote it down, page 12, line 3.'],
	美玲: ['我们说“慢慢来”。 Take your time!', '加油！You can do it.'],
	서연: ['한국어로는 “괜찮아요”라고 해요. It means: it’s fine.', '화이팅! Fighting, as we say 💪'],
}

/** By mistake, and removed again. */
export const slips = lines`
	mom can you buy rice on the way home
	Sorry, wrong discussion!
	asdfghjk my cat
	test test
	Does anybody have the answers for Friday?? 🙏
	hhkk
	I think this was meant for the other class, please ignore.`

/** What files are called and hold. */
export const files: readonly { name: string; said: string; text: string }[] = [
	{
		name: 'vocabulary week 5.txt',
		said: 'My word list for this week, with examples. Please add yours!',
		text: 'WORDS OF THE WEEK\n\nreluctant   enggan         She was reluctant to speak first.\nto postpone menunda        They postponed the picnic.\ncrowded     penuh sesak    The bus was crowded.\nto rely on  mengandalkan   You can rely on me.\nawkward     canggung       There was an awkward silence.\n',
	},
	{
		name: 'Irregular verbs – the difficult ones.txt',
		said: 'Here are the verbs that I always get wrong.',
		text: 'lie - lay - lain (berbaring)\nlay - laid - laid (meletakkan)\nrise - rose - risen\nraise - raised - raised\nseek - sought - sought\nforbid - forbade - forbidden\n',
	},
	{
		name: 'notulen kelompok 3.txt',
		said: 'Notulen kelompok kita, maaf campur-campur bahasanya.',
		text: 'Kelompok 3, Kamis\n\n1. Bagi tugas: Sari intro, Budi contoh, Zoë penutup.\n2. Deadline Sabtu 20.00.\n3. Nanti dibaca keras-keras dulu sebelum dikirim.\n',
	},
	{
		name: 'handout reading.pdf',
		said: 'The handout as a PDF, for those who missed the lesson.',
		text: 'Reading handout\n\nBefore you read: what does the title make you expect?\nWhile you read: mark the turning point.\nAfter you read: retell the text in five sentences.',
	},
	{
		name: 'useful phrases.pdf',
		said: 'I made one page of useful phrases. Print it if you like.',
		text: 'Useful phrases\n\nTo agree: That is a good point.\nTo disagree politely: I see it a little differently.\nTo ask back: What exactly do you mean by that?\nTo win time: Let me think about it for a moment.',
	},
]
